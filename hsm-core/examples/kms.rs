//! The key management service at moments that are said, for tests of other doors:
//! `kms HOME PIN` reads a line for each call, `SECONDS COMMAND [KEY [ARGUMENT]]`, SECONDS being added to the present
//! moment, and answers a line to each: what came of it, or the code of the refusal.

use std::error::Error;
use std::io::{BufRead, Write};
use std::path::Path;

use hsm_core::config::Config;
use hsm_core::error::Result;
use hsm_core::hsm::Hsm;
use hsm_core::kms::{Aad, Actor, Description, Kind, Removal};
use hsm_core::object::lifecycle;
use hsm_core::secret::Secret;
use hsm_core::service::kms::{Caller, Kms, Material};
use hsm_core::session::{Access, Role};

fn main() -> std::result::Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [home, pin] = arguments.as_slice() else { return Err("kms HOME PIN".into()) };
    let hsm = Hsm::new(Config::for_home(Path::new(home))?);
    let partition = hsm.partitions()?.into_iter().next().ok_or("no token")?;
    let session = partition.open_session(Access::ReadWrite)?;
    session.login(Role::User, pin.as_bytes())?;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split(' ').collect();
        let [seconds, rest @ ..] = words.as_slice() else { return Err("an empty line".into()) };
        let now = lifecycle::now() + seconds.parse::<i64>()?;
        let actor = Actor { id: "tester".into(), name: "tester".into() };
        let kms = session.kms(Caller { actor, now, trail: None, host: None });
        let answer = match call(&kms, now, rest) {
            Ok(answer) => answer,
            Err(hsm_core::Error::Kms(refusal)) => refusal.reason.code().to_owned(),
            Err(error) => return Err(error.into()),
        };
        writeln!(std::io::stdout(), "{answer}")?;
    }
    Ok(())
}

fn call(kms: &Kms<'_>, now: i64, words: &[&str]) -> Result<String> {
    let none = Aad::default();
    let done = |_| "done".to_owned();
    match words {
        ["root", name] => kms.create(Description::new(Kind::Root, name), None).map(|key| key.id.to_string()),
        ["expiring", name, seconds] => {
            let expiration = seconds.parse::<i64>().ok().map(|seconds| now + seconds);
            let said = Description { expiration, ..Description::new(Kind::Root, name) };
            kms.create(said, None).map(|key| key.id.to_string())
        }
        ["standard", name, payload, seconds @ ..] => {
            let material = Material::Plain(Secret::copy_of(payload.as_bytes()));
            let expiration =
                seconds.first().and_then(|it| it.parse::<i64>().ok()).map(|seconds| now + seconds);
            let said = Description { expiration, ..Description::new(Kind::Standard, name) };
            kms.create(said, Some(material)).map(|key| key.id.to_string())
        }
        ["state", key] => kms.key(key).map(|found| (found.state(now) as u8).to_string()),
        ["read", key] => kms.read(key).map(|(_, payload)| {
            payload.map_or("none".to_owned(), |it| String::from_utf8_lossy(it.expose()).into_owned())
        }),
        ["alias", key, alias] => kms.add_alias(key, alias).map(done),
        ["rotate", key] => kms.rotate(key, None).map(done),
        ["wrap", key] => kms.wrap(key, Some(b"dek"), &none).map(|wrapped| wrapped.ciphertext),
        ["unwrap", key, text] => kms
            .unwrap(key, text, &none)
            .map(|unwrapped| String::from_utf8_lossy(unwrapped.plaintext.expose()).into_owned()),
        ["rewrap", key, text] => kms.rewrap(key, text, &none).map(|_| "done".to_owned()),
        ["disable", key] => kms.disable(key).map(done),
        ["enable", key] => kms.enable(key).map(done),
        ["delete", key] => kms.delete(key, Removal::Unused).map(done),
        ["restore", key] => kms.restore(key).map(done),
        ["purge", key] => kms.purge(key).map(|()| "done".to_owned()),
        ["networks", networks @ ..] => kms
            .change_policies(&|policies| {
                policies.allowed_ip =
                    networks.iter().map(|it| it.parse()).collect::<std::result::Result<_, _>>()?;
                Ok(())
            })
            .map(|_| "done".to_owned()),
        _ => Err(hsm_core::Error::ArgumentsBad("no such command")),
    }
}
