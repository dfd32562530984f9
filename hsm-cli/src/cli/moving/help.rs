//! Examples of the commands that move keys in and out.

pub(crate) const IMPORT_EXAMPLES: &str = "\
Examples:
  softhsm-rs import softhsm2 --tokendir /var/lib/softhsm/tokens --dry-run
      What a token of SoftHSM2 has, and what of it can be brought.
  softhsm-rs import pem server.pem --token web --label server
  softhsm-rs import pkcs12 client.p12 --token web --label client --passphrase-file passphrase";

pub(super) const SOFTHSM2_EXAMPLES: &str = "\
Examples:
  softhsm-rs import softhsm2 --tokendir /var/lib/softhsm/tokens --dry-run
      Asks for the user PIN and shows what the token has, and what would be left out and why.
  softhsm-rs import softhsm2 --tokendir /var/lib/softhsm/tokens --pin-file pin --so-pin-file so-pin
      Makes a token of the same label and user PIN, with all objects.
  softhsm-rs import softhsm2 --tokendir ./tokens --from web --token production --pin 1234
      Brings the token web of several to a token that is there. Who looks at processes sees a PIN that is given
      like this.
  softhsm-rs import softhsm2 --tokendir ./tokens --json | jq '.objects[] | select(.outcome == \"left out\")'";

pub(crate) const BACKUP_EXAMPLES: &str = "\
Examples:
  softhsm-rs backup hsm.backup
      All tokens, under a passphrase that is asked for.
  softhsm-rs backup web.backup --token web --passphrase-file passphrase
  softhsm-rs restore hsm.backup --dry-run
      Reads and checks the whole file, and shows what it holds.
  softhsm-rs --home ./new init && softhsm-rs --home ./new restore hsm.backup
      Into an HSM that has nothing yet. PINs are those of the tokens.
  softhsm-rs restore hsm.backup --token web --replace
      Puts one token back to what it was.

The passphrase is read from SOFTHSM_RS_BACKUP_PASSPHRASE where no file is named. Choose one that holds by itself:
whoever has file and passphrase can try PINs without a limit.";

pub(super) const FILE_EXAMPLES: &str = "\
Examples:
  softhsm-rs import pkcs8 key.der --token web --label tls --id 01 --usage sign
      The key signs, its public half verifies, and neither does anything else.
  softhsm-rs import pem server.pem --token web --label server
      Key and certificates of one file, under one CKA_ID.
  softhsm-rs import pkcs12 client.p12 --token web --label client --passphrase-file passphrase
  softhsm-rs import jwk key.json --token web --label api --extractable

Keys are sensitive and not extractable unless it is said otherwise. What the token has already is left as it is.";

pub(crate) const EXPORT_EXAMPLES: &str = "\
Examples:
  softhsm-rs export --token web --label tls
      The public key in PEM.
  softhsm-rs export --token web --label tls --format jwk
  softhsm-rs export --token web --label server --class certificate --out server.crt
  softhsm-rs export --token web --label moving --class private --encrypt --out key.pem
      A private key that is extractable and not sensitive. It leaves a trace in the audit log.";

pub(crate) const UTIL_EXAMPLES: &str = "\
Examples:
  alias softhsm2-util='softhsm-rs util'
  softhsm2-util --init-token --free --label web --so-pin 87654321 --pin 123456
  softhsm2-util --show-slots
  softhsm2-util --import key.pem --token web --label tls --id 01 --pin 123456
  softhsm2-util --delete-token --token web --so-pin 87654321

PINs that are options can be seen by whoever looks at processes; without them they are read from SOFTHSM_RS_PIN and
SOFTHSM_RS_SO_PIN, or asked for.";
