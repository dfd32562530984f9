#![allow(clippy::all, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
mod kit;
use cryptoki_sys::*;
use hsm_core::mechanism::Mechanism;
use kit::*;
use std::time::Instant;
#[test]
#[ignore]
fn measure() {
    for on_disk in [false, true] {
        let benches: Vec<_> = [true, false]
            .iter()
            .map(|on| {
                let dir = if on_disk {
                    tempfile::TempDir::new_in("/work/w-audit/target").unwrap()
                } else {
                    kit::directory()
                };
                std::fs::write(dir.path().join("softhsm-rs.toml"), format!("audit.changes = {on}\n"))
                    .unwrap();
                let (hsm, partition) = initialise(hsm_core::config::Config::for_home(dir.path()).unwrap());
                let session = partition.open_session(hsm_core::session::Access::ReadWrite).unwrap();
                session.login(hsm_core::session::Role::User, USER_PIN).unwrap();
                (on, dir, hsm, session)
            })
            .collect();
        let n = if on_disk { 300 } else { 1000 };
        for (name, what) in [("generate", 0), ("create", 1), ("login", 2)] {
            let mut times = [Vec::new(), Vec::new()];
            for i in 0..(if what == 2 { 40 } else { n }) {
                for (b, (_, _, _, session)) in benches.iter().enumerate() {
                    let t = Instant::now();
                    match what {
                        0 => {
                            let mut t = token(true, &format!("k{i}"));
                            t.push(number(CKA_VALUE_LEN, 32));
                            session.generate_key(&Mechanism::plain(CKM_AES_KEY_GEN), t).unwrap();
                        }
                        1 => {
                            session.create_object(data(true, &format!("d{i}"), b"value")).unwrap();
                        }
                        _ => {
                            session.logout().unwrap();
                            session.login(hsm_core::session::Role::User, USER_PIN).unwrap();
                        }
                    }
                    times[b].push(t.elapsed().as_secs_f64() * 1e6);
                }
            }
            for t in &mut times {
                t.sort_by(|a, b| a.total_cmp(b));
            }
            println!(
                "disk={on_disk} {name}: on median {:.0} us, off median {:.0} us",
                times[0][times[0].len() / 2],
                times[1][times[1].len() / 2]
            );
        }
    }
}
