//! Examples of the `kms` commands.

pub(in crate::cli) const KMS: &str = "\
Examples:
  softhsm-rs kms key create volumes --alias vol
  softhsm-rs kms key wrap vol --plaintext-file passphrase --out passphrase.wdek
  softhsm-rs kms key unwrap vol --ciphertext-file passphrase.wdek --out passphrase
  softhsm-rs kms key list
  softhsm-rs help kms key import

Refusals end with exit code 18 and Key Protect's code in parentheses; docs/kms.md has them all.";

pub(super) const READ: &str = "\
Examples:
  softhsm-rs kms read database-password
  softhsm-rs kms read database-password --out password
  softhsm-rs kms read database-password --json | jq -r .payload | base64 -d";

pub(super) const CREATE: &str = "\
Examples:
  softhsm-rs kms key create volumes --alias vol --rotation 3
  softhsm-rs kms key create backups --expires 2027-06-30T12:00:00Z --ring archive --dual-auth
  softhsm-rs kms key create session-secret --standard-key --tag web";

pub(super) const IMPORT: &str = "\
Examples:
  softhsm-rs kms key import volumes --import-token sent.json
      The customer made it for the token that `softhsm-rs import-token show --json` gave:
      softhsm-rs import-token encrypt-key -k key.bin --payload \"$(jq -r .payload token.json)\" --json > sent.json
      softhsm-rs import-token encrypt-nonce -k key.bin --nonce \"$(jq -r .nonce token.json)\" --json >> sent.json
  softhsm-rs kms key import volumes --payload-file key.bin
  softhsm-rs kms key import database-password --standard-key --payload-file -";

pub(super) const LIST: &str = "\
Examples:
  softhsm-rs kms key list --state suspended --state deactivated
  softhsm-rs kms key list --ring archive --json | jq -r '.[].id'
  softhsm-rs kms key show vol
  softhsm-rs kms key versions vol";

pub(super) const LABELS: &str = "\
Examples:
  softhsm-rs kms key update vol --name \"volumes of web\" --tag web --tag disk
  softhsm-rs kms key update vol --ring archive
  softhsm-rs kms key alias add vol web-volumes
  softhsm-rs kms key alias rm vol web-volumes";

pub(super) const WRAP: &str = "\
Examples:
  softhsm-rs kms key wrap vol --json > fresh.json
      A fresh key of 32 bytes: `plaintext` to use and forget, `ciphertext` to keep.
  softhsm-rs kms key wrap vol --plaintext-file passphrase --aad disk --aad web1 --out passphrase.wdek
  softhsm-rs kms key unwrap vol --ciphertext-file passphrase.wdek --aad disk --aad web1 --out passphrase
  softhsm-rs kms key rewrap vol --ciphertext-file passphrase.wdek --aad disk --aad web1 --out passphrase.new";

pub(super) const ROTATE: &str = "\
Examples:
  softhsm-rs kms key rotate vol
  softhsm-rs kms key rotate vol --import-token sent.json
      A key whose material was brought; `softhsm-rs help kms key import` shows where the file comes from.";

pub(super) const LIFE: &str = "\
Examples:
  softhsm-rs kms key disable vol
  softhsm-rs kms key enable vol
  softhsm-rs kms key delete vol --yes
  softhsm-rs kms key list --state destroyed
  softhsm-rs kms key restore vol
  softhsm-rs kms key purge vol --yes";

pub(super) const DUAL: &str = "\
Examples:
  softhsm-rs kms key schedule-delete vol --as alice
  softhsm-rs kms key delete vol --as bob --yes
  softhsm-rs kms key unschedule-delete vol";

pub(super) const REGISTRATIONS: &str = "\
Examples:
  softhsm-rs kms key registrations add vol /dev/vg0/web --description \"the web server's disk\"
  softhsm-rs kms key registrations add vol /backup/2026 --prevent-deletion
  softhsm-rs kms key registrations list vol
  softhsm-rs kms key registrations list --resource /dev/vg0/web
  softhsm-rs kms key registrations rm vol /dev/vg0/web";

pub(super) const KEY_POLICY: &str = "\
Examples:
  softhsm-rs kms key policy show vol
  softhsm-rs kms key policy set vol --rotation 3
  softhsm-rs kms key policy set vol --rotation off --dual-auth on";

pub(super) const RING: &str = "\
Examples:
  softhsm-rs kms ring create archive
  softhsm-rs kms key update vol --ring archive
  softhsm-rs kms ring delete archive";

pub(super) const POLICY: &str = "\
Examples:
  softhsm-rs kms policy show
  softhsm-rs kms policy set --enforce-token on --create-root-key off
  softhsm-rs kms policy set --dual-auth on --rotation 6 --retention 30
  softhsm-rs kms policy set --network private-only --allow-ip 10.1.0.0/16 --allow-ip 10.2.0.7
  softhsm-rs kms policy set --any-ip --rotation off";

pub(super) const DUE: &str = "\
Examples:
  softhsm-rs kms rotate-due --token web --pin-file /etc/softhsm-rs/web.pin --as timer
      Once a day, from a timer of systemd or from cron.";
