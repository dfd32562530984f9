//! The long texts of `--help`: examples of each command, and what the front page says.

pub(super) const OVERVIEW: &str = "\
Files:
  The HSM is in the directory that --home names, else SOFTHSM_RS_CONF (a file) or SOFTHSM_RS_HOME
  (a directory), else in the token directory of the file that SOFTHSM2_CONF names, else in
  ~/.local/share/softhsm-rs or /var/lib/softhsm-rs. `softhsm-rs status` shows which it is.

PINs:
  are asked for without echo, or read from the file that --pin-file, --so-pin-file or
  --new-pin-file names, or from SOFTHSM_RS_PIN, SOFTHSM_RS_SO_PIN and SOFTHSM_RS_NEW_PIN.

Output:
  Results go to standard output, remarks and errors to standard error. With --json a failed command
  prints {\"error\": {\"name\", \"exit\", \"message\", \"next\"}} to standard error. NO_COLOR is respected.

Examples:
  softhsm-rs init
  softhsm-rs token init web
  softhsm-rs key generate --token web --type ec:p256 --label tls
  softhsm-rs key list --token web

Exit codes:
   0  done";

pub(super) const INIT_EXAMPLES: &str = "\
Examples:
  softhsm-rs init
      An HSM for yourself in the usual place.
  softhsm-rs --home /var/lib/softhsm-rs init --group hsm
      An HSM for the members of the group hsm.
  softhsm-rs init --passphrase
      The same, the ceremony files under a passphrase.

Afterwards:
  Move the files of each administrator and each key part to different places; whoever has them all
  can replace the master key. They are not needed for daily work, but keep them: they are what
  restores the master key.";

pub(super) const STATUS_EXAMPLES: &str = "\
Examples:
  softhsm-rs status
  softhsm-rs status --json | jq -r .unit.current_register.verification_pattern";

pub(super) const UNIT_EXAMPLES: &str = "\
Examples:
  softhsm-rs --home ./hsm unit create
      At the HSM: a unit in imprint mode. (`softhsm-rs init` holds the whole ceremony by itself, and
      `softhsm-rs ceremony` leads through one of people.)
  softhsm-rs --home ./recovery unit create --type recovery
      A unit that keeps a master key for others.
  softhsm-rs unit show --out unit.json
      What the unit says of itself, signed, for those who make and sign commands elsewhere.
  softhsm-rs unit trust unit.json
      Where they are: keeps the unit's attestation key, once its fingerprint was compared.
  softhsm-rs unit compare unit-a.json unit-b.json

Files go round: `unit show --out`, `unit prepare … --for`, `unit sign` by each administrator, `unit submit
--reply` at the HSM; the reply is the statement that the next command is made for. docs/root-of-trust.md
tells a whole ceremony.";

pub(super) const UNIT_SELECT_EXAMPLES: &str = "\
Examples:
  softhsm-rs unit units
      The units that are known here (`unit trust`), with their numbers.
  softhsm-rs unit select 1 2
  softhsm-rs unit select recovery-reply.json
  softhsm-rs unit prepare add-administrator alice.sigkey.pub --out add.cmd
      Makes a command for each of them: add-HSM-UNIT.cmd.
  softhsm-rs unit compare
  softhsm-rs unit unselect 2
  softhsm-rs unit unselect --all";

pub(super) const UNIT_PREPARE_EXAMPLES: &str = "\
Examples:
  softhsm-rs unit prepare add-administrator alice.sigkey.pub --for unit.json --out add-alice.cmd
  softhsm-rs unit prepare set-thresholds --signature 2 --revocation 2 --for reply.json --out own.cmd
  softhsm-rs unit prepare generate-importer --for reply.json --out importer.cmd
  softhsm-rs unit prepare load part-1.signed part-2.signed part-3.signed --out load.cmd
  softhsm-rs unit prepare commit 3f9a… --for reply.json --out commit.cmd --expires 3600
  softhsm-rs unit prepare set-immediate 3f9a… --for reply.json --out immediate.cmd
  softhsm-rs unit prepare export-current --to recovery.json --for reply.json --out export.cmd";

pub(super) const UNIT_SIGN_EXAMPLES: &str = "\
Examples:
  softhsm-rs unit inspect commit.cmd
  softhsm-rs unit sign commit.cmd --key alice.sigkey
      Shows what the bytes say that are signed, and asks.
  softhsm-rs unit sign commit.cmd --key-name alice --service https://sign.example.org
      With a key that a signing service holds; its token is in SOFTHSM_RS_SIGNING_TOKEN.
  softhsm-rs unit submit commit.cmd --reply reply.json
      At the HSM: exit code 15 and EP11's codes where the unit refuses.";

pub(super) const UNIT_ROTATE_EXAMPLES: &str = "\
Examples:
  softhsm-rs unit mk-rotate
      After a new master key was loaded and committed: gives each partition a second wrap. The HSM goes on
      working. If it is interrupted, run it again.
  softhsm-rs unit prepare set-immediate PATTERN --out go.cmd
      Then the new master key is put into use.";

pub(super) const UNIT_AUTOMATIC_EXAMPLES: &str = "\
Examples:
  softhsm-rs unit auto-mk-rotate
      New parts, load, commit, wraps, set-immediate, with the files that `softhsm-rs init` left in the home. If it
      is interrupted, run it again: it goes on where it stopped.
  softhsm-rs unit auto-recover --from /mnt/recovery --key alice.sigkey --key bob.sigkey
      Copies the current master key of the recovery unit in that home to this unit. Both have left imprint mode,
      with the same thresholds, and alice and bob are administrators of both.";

pub(super) const SIGN_SERVICE_EXAMPLES: &str = "\
Examples:
  SOFTHSM_RS_SIGNING_TOKEN=… softhsm-rs unit sign-service --listen 127.0.0.1:9443 --keys ./keys
      keys/alice.sigkey is the key alice. keys/alice.token, if it is there, has the key's own token.
  softhsm-rs unit sign-service --listen 0.0.0.0:9443 --keys ./keys --tls-cert server.pem --tls-key server.key
  softhsm-rs unit sign commit.cmd --key-name alice --service http://127.0.0.1:9443
  curl -H \"Authorization: TOKEN\" http://127.0.0.1:9443/keys/alice";

pub(super) const CEREMONY_EXAMPLES: &str = "\
Examples:
  softhsm-rs ceremony
      On a terminal: says what comes next, and does with you what can be done here.
  softhsm-rs ceremony status
      What is done, what comes next, who has to sign, and what to type.
  softhsm-rs ceremony status --for reply.json --pending own.cmd
      The same on another machine, by the unit's last reply; and how far the signatures of a command are.
  softhsm-rs ceremony status --json | jq -r '.steps[] | select(.state == \"next\") | .commands[]'
  softhsm-rs ceremony record --out record.txt --reply reply-1.json --reply reply-2.json --part alice.keypart
      A record to print and sign.";

pub(super) const UNIT_KEY_EXAMPLES: &str = "\
Examples:
  softhsm-rs unit key new alice.sigkey --name alice
      alice.sigkey stays with alice; alice.sigkey.pub goes to whoever prepares commands.
  softhsm-rs unit key show *.sigkey
  softhsm-rs unit key public --key 1.sigkey --name alice --out alice.pub";

pub(super) const UNIT_PART_EXAMPLES: &str = "\
Examples:
  softhsm-rs unit part new alice.keypart --name \"alice's part\"
  softhsm-rs unit part show *.keypart
  softhsm-rs unit part seal alice.keypart --number 1 --of 3 --key alice.sigkey --for reply.json --out part-1.signed
      Encrypted to the unit's importer key; the part's own file stays where it is.
  softhsm-rs unit part seal --exported export-reply.json --key alice.sigkey --for recovery.json --out part.signed
      The master key of another unit, which exported it to this one.";

pub(super) const UNIT_SEALER_EXAMPLES: &str = "\
Examples:
  softhsm-rs unit sealer show
  softhsm-rs unit sealer set passphrase
      Asks for it twice. From then on `softhsm-rs unlock` opens the unit.
  softhsm-rs unit sealer set shares --needed 2 alice.share bob.share carol.share
      Asks for a passphrase for each file. Two of the three open the unit.
  softhsm-rs unit sealer set credential --credential-file sealer.bin
      What LoadCredentialEncrypted= gives to a service as softhsm-rs.sealer.
  softhsm-rs unit sealer set owner-file
      Back to a file that opens the unit by itself.";

pub(super) const UNLOCK_EXAMPLES: &str = "\
Examples:
  softhsm-rs unlock
      Asks for the passphrase.
  softhsm-rs unlock --share alice.share --share carol.share
      Asks for the passphrase of each share.
  softhsm-rs unlock --foreground
      As a service, with Type=notify; its credential opens the unit if that is what seals it.
  softhsm-rs lock
      Programs that have logged in go on with the keys that they hold until they end.
  softhsm-rs lock --force
      Kills a holder that does not answer.

The passphrase is read from SOFTHSM_RS_SEALER_PASSPHRASE where no file is named.";

pub(super) const AUDIT_EXAMPLES: &str = "\
Examples:
  softhsm-rs audit verify
      Says how many events there are, and the link of the last one: keep it elsewhere.
  softhsm-rs audit verify --expect LINK
      Also that the log goes on from there: a log put back to an older copy is found.
  softhsm-rs audit export --out audit.jsonl
  softhsm-rs audit key --out audit.pub
  softhsm-rs audit verify --file audit.jsonl --key audit.pub
      On any machine: no HSM is needed.
  softhsm-rs audit verify --file audit.jsonl --statement reply.json
      Against what the unit signed last, as its reply to a zeroize.
  softhsm-rs audit follow --json | logger -t hsm
  softhsm-rs audit show --since 1200
  softhsm-rs audit show --json | jq -c 'select(.event.outcome == \"failure\")'";

pub(super) const TOKEN_EXAMPLES: &str = "\
Examples:
  softhsm-rs token init web
  softhsm-rs token list
  softhsm-rs help token init";

pub(super) const TOKEN_INIT_EXAMPLES: &str = "\
Examples:
  softhsm-rs token init web
      Asks for both PINs, twice each.
  softhsm-rs token init web --so-pin-file so.pin --pin-file user.pin
  softhsm-rs token init web2 --replace web --yes --so-pin-file so.pin --so-only
      Destroys the keys of web, and names it web2. Its SO PIN stays.";

pub(super) const TOKEN_DELETE_EXAMPLES: &str = "\
Examples:
  softhsm-rs token delete --token web
  softhsm-rs token delete --token web --yes --so-pin-file so.pin
  softhsm-rs token delete --token kmip --without-pin
      A server's partition that has no PIN, with the keys of all its clients.";

pub(super) const TOKEN_GIVE_PINS_EXAMPLES: &str = "\
Examples:
  softhsm-rs token give-pins --token kmip
      Asks for both PINs, twice each. The user sees the keys of all clients of the server, which goes
      on opening the partition by the master key.
  softhsm-rs token give-pins --token kmip --pin-only
      The server then needs the user PIN as well, from its next start on. Where PINs were given before,
      asks for the user PIN alone.";

pub(super) const TOKEN_PIN_EXAMPLES: &str = "\
Examples:
  softhsm-rs token set-pin --token web
      Asks for the old and the new user PIN.
  softhsm-rs token set-pin --token web --so
      The same for the SO PIN.
  softhsm-rs token unlock --token web --so-pin-file so.pin --new-pin-file user.pin
      A new user PIN where the old one is locked or forgotten.";

pub(super) const KEY_EXAMPLES: &str = "\
Examples:
  softhsm-rs key generate --type rsa:2048 --label sign
  softhsm-rs key list
  softhsm-rs help key generate";

pub(super) const KEY_LIST_EXAMPLES: &str = "\
Examples:
  softhsm-rs key list --token web
  softhsm-rs key list --public
      Without login: public objects alone.
  softhsm-rs key list --json | jq -r '.[] | select(.type == \"rsa\") | .id'";

pub(super) const KEY_GENERATE_EXAMPLES: &str = "\
Examples:
  softhsm-rs key generate --type rsa:4096 --label ca --id 01
  softhsm-rs key generate --type ec:p256 --label tls
  softhsm-rs key generate --type aes:256 --label disk --extractable
  softhsm-rs key generate --type ed25519 --label box --count 100
      One hundred pairs, box-1 to box-100.";

pub(super) const KEY_IMPORT_EXAMPLES: &str = "\
Examples:
  softhsm-rs key import --import-token --token web --label root \\
      --payload \"$(jq -r .payload key.json)\" \\
      --encrypted-nonce \"$(jq -r .encryptedNonce nonce.json)\" --iv \"$(jq -r .iv nonce.json)\" \\
      --encryption-algorithm \"$(jq -r .encryptionAlgorithm key.json)\"
      With what the customer's `import-token encrypt-key` and `encrypt-nonce` printed.";

pub(super) const IMPORT_TOKEN_EXAMPLES: &str = "\
Examples:
  softhsm-rs import-token create --token web
      Then the customer, who sends what the two last commands print to `softhsm-rs key import`:
  softhsm-rs import-token show --token web --json > token.json
  softhsm-rs import-token encrypt-key -k key.bin --payload \"$(jq -r .payload token.json)\" --json
  softhsm-rs import-token encrypt-nonce -k key.bin --nonce \"$(jq -r .nonce token.json)\" --json";

pub(super) const IMPORT_TOKEN_CREATE_EXAMPLES: &str = "\
Examples:
  softhsm-rs import-token create --token web
      Valid for ten minutes, retrieved once.
  softhsm-rs import-token create --token web --expires 86400 --retrievals 10 --json";

pub(super) const IMPORT_TOKEN_SHOW_EXAMPLES: &str = "\
Examples:
  softhsm-rs import-token show --token web
      One retrieval less remains afterwards.
  softhsm-rs import-token show --token web --json | jq -r .payload | base64 -d > token.pem";

pub(super) const ENCRYPT_KEY_EXAMPLES: &str = "\
Examples:
  openssl rand -out key.bin 32
  softhsm-rs import-token encrypt-key -k key.bin --payload \"$(jq -r .payload token.json)\" --json
  softhsm-rs import-token encrypt-key -k - --public-key token.pem --sha1 < key.bin
      As Hyper Protect Crypto Services has it. The nonce is then encrypted with --sha1 too.
  softhsm-rs import-token encrypt-key --asymmetric -k tls.pem --payload \"$(jq -r .payload token.json)\" \\
      --nonce \"$(jq -r .nonce token.json)\" --json
      A private key, and the nonce with it.";

pub(super) const ENCRYPT_NONCE_EXAMPLES: &str = "\
Examples:
  softhsm-rs import-token encrypt-nonce -k key.bin --nonce \"$(jq -r .nonce token.json)\" --json
  softhsm-rs import-token encrypt-nonce -k key.bin --nonce \"$(jq -r .nonce token.json)\" --sha1";

pub(super) const KEY_SHOW_EXAMPLES: &str = "\
Examples:
  softhsm-rs key show --label tls
  softhsm-rs key show --label tls --public-key > tls.pem
      For `openssl dgst -sha256 -verify tls.pem -signature SIGNATURE FILE`.";

pub(super) const KEY_DELETE_EXAMPLES: &str = "\
Examples:
  softhsm-rs key delete --label tls
      The pair: a public and a private key.
  softhsm-rs key delete --id 01 --class public --yes";

pub(super) const SERVE_EXAMPLES: &str = "\
Examples:
  softhsm-rs --home ./hsm serve --dev
      Makes an HSM, an authority and certificates where there are none, and says how to use them.
  softhsm-rs init && softhsm-rs certs init && softhsm-rs serve --kmip-listen 0.0.0.0:5696
  softhsm-rs serve --tls-cert server.pem --tls-key server.key --tls-client-ca clients-ca.pem
  softhsm-rs serve --config /etc/softhsm-rs.toml --metrics-listen 127.0.0.1:9696
  kill -HUP PID
      Reads configuration and certificates again.";

pub(super) const CERTS_EXAMPLES: &str = "\
Examples:
  softhsm-rs certs init --san kmip.example.org
      An authority, and the server's certificate for that name and this machine's own.
  softhsm-rs certs client db1
  softhsm-rs certs client vcenter --rsa 2048 --days 730
  softhsm-rs certs list
  softhsm-rs certs trust vcenter.pem --name vcenter
      Admits that certificate, whoever signed it.
  softhsm-rs certs trust vcenter-2028.pem --as vcenter
      Its renewal has the same objects.
  softhsm-rs certs untrust vcenter";

pub(super) const KMIP_EXAMPLES: &str = "\
Examples:
  softhsm-rs kmip discover --server localhost
      With the certificates that `serve --dev` made in the home.
  softhsm-rs kmip query --server kmip.example.org:5696 --tls-cert me.pem --tls-key me.key --tls-ca ca.pem
  softhsm-rs kmip query --server [2001:db8::7] --server-name kmip.example.org
  softhsm-rs kmip query --server localhost --kmip-version 1.4 --json | jq -r '.operations[]'
  softhsm-rs kmip locate --server localhost --attributes
  softhsm-rs help kmip get

Passwords:
  of --user are asked for without echo, or read from the file that --password-file names, or from
  SOFTHSM_RS_KMIP_PASSWORD.";

pub(super) const KMIP_LOCATE_EXAMPLES: &str = "\
Examples:
  softhsm-rs kmip locate --server localhost --name disk
  softhsm-rs kmip locate --server localhost --type private-key --state active --attributes
  softhsm-rs kmip locate --server localhost --algorithm aes --length 256 --max 100 --offset 100";

pub(super) const KMIP_GET_EXAMPLES: &str = "\
Examples:
  softhsm-rs kmip get --server localhost 9f3c… --attributes
      What it is; its value stays hidden.
  softhsm-rs kmip get --server localhost 9f3c… --format pkcs8 --out key.pem
  softhsm-rs kmip get --server localhost 9f3c… --show-value";

pub(super) const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  softhsm-rs completions bash > ~/.local/share/bash-completion/completions/softhsm-rs
  softhsm-rs completions zsh > ~/.zfunc/_softhsm-rs
  softhsm-rs completions fish > ~/.config/fish/completions/softhsm-rs.fish";
