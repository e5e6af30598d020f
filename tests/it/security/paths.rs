//! Names from outside that become files or lead to files: they stay where they belong.

use std::path::Path;
use std::sync::Arc;

use tidegauge::agent::Place;
use tidegauge::ask::{Answer, Ask, Failure, FolderAnswer, FolderAsk};
use tidegauge::doors::peer::{FolderPeer, PeerSettings};
use tidegauge::doors::{Files, Wire};
use tidegauge::ports::files::RealFiles;
use tidegauge::simulation::disk::SimulatedDisk;
use tidegauge::simulation::world::{World, WorldPlan};

use crate::console::OPEN_REPORT;
use crate::console::visitor::at;
use crate::doors::wire_to;

async fn done(folder: &Path, ask: FolderAsk) -> Result<FolderAnswer, Failure> {
    let wire = wire_to("spool", PeerSettings::Folder(FolderPeer { path: folder.to_owned() }));
    match wire.carry(Ask::Folder(ask)).await {
        Answer::Folder(answer) => Ok(answer),
        Answer::Failed(failure) => Err(failure),
        Answer::Http(_) | Answer::Mail(_) => panic!("a folder ask has a folder answer"),
    }
}

fn write(name: &str) -> FolderAsk {
    FolderAsk::Write { peer: "spool".into(), name: name.into(), bytes: b"a reason".to_vec() }
}

/// Whoever may drop files into a folder may drop links too.
#[cfg(unix)]
#[tokio::test]
async fn a_link_where_a_file_is_about_to_be_written_is_replaced_and_not_written_through() {
    let outer = tempfile::tempdir().expect("a temporary folder");
    let (spool, victim) = (outer.path().join("spool"), outer.path().join("journal"));
    std::fs::create_dir_all(spool.join("rejected")).expect("a folder");
    std::fs::write(&victim, "years of samples").expect("a file");
    for planted in [".a.json.reason.unfinished", "a.json.reason"] {
        let link = spool.join("rejected").join(planted);
        std::os::unix::fs::symlink(&victim, &link).expect("a link");
        let wrote = done(&spool, write("rejected/a.json.reason")).await;
        assert_eq!(std::fs::read_to_string(&victim).expect("it is there"), "years of samples", "{planted}");
        match planted {
            "a.json.reason" => assert!(wrote.expect_err("a link").to_string().contains("goes through a link")),
            _ => {
                wrote.expect("the link is in the way, and taken out of it");
                let reason = spool.join("rejected/a.json.reason");
                assert_eq!(std::fs::read_to_string(&reason).expect("it is there"), "a reason");
                std::fs::remove_file(reason).expect("ours");
            }
        }
    }
}

/// A pipe whose other end nobody opens would hold a thread for ever.
#[cfg(unix)]
#[tokio::test]
async fn what_is_no_regular_file_is_neither_listed_nor_waited_for() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let pipe = folder.path().join("a.json");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo is everywhere");
    assert!(made.success());
    std::fs::create_dir(folder.path().join("b.json")).expect("a folder");
    std::os::unix::net::UnixListener::bind(folder.path().join("c.json")).expect("a socket");
    let list = FolderAsk::List { peer: "spool".into(), entries_max: 10 };
    assert!(matches!(done(folder.path(), list).await, Ok(FolderAnswer::Listed(names)) if names.is_empty()));
    for name in ["a.json", "b.json", "c.json"] {
        let read = FolderAsk::Read { peer: "spool".into(), name: name.into(), bytes_max: 4 };
        assert!(matches!(done(folder.path(), read).await, Err(Failure::File { .. })), "{name}");
    }
    done(folder.path(), FolderAsk::Move { peer: "spool".into(), name: "a.json".into(), to: "rejected/a.json".into() })
        .await
        .expect("it can still be put away");
}

/// A file left by a killed run, with the mode of somebody else's umask, is not written into.
#[cfg(unix)]
#[test]
fn a_file_that_is_written_is_always_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let left = folder.path().join(".key.unfinished");
    std::fs::write(&left, "half").expect("a file");
    std::fs::set_permissions(&left, std::fs::Permissions::from_mode(0o666)).expect("our file");
    RealFiles.write(&folder.path().join("key"), b"secret").expect("a writable folder");
    let mode = std::fs::metadata(folder.path().join("key")).expect("it is there").permissions().mode();
    assert_eq!((mode & 0o777, left.exists()), (0o600, false));
}

#[test]
fn no_address_of_a_download_leads_to_another_file() {
    let vera = OPEN_REPORT.signed_in("vera");
    let good = vera.get("/reports/2026-09.pdf");
    assert!(good.status.is_success());
    let said = good.headers["content-disposition"].to_str().expect("text");
    let name = said.strip_prefix("attachment; filename=\"").and_then(|rest| rest.strip_suffix('"')).expect("one name");
    assert!(name.chars().all(|sign| sign.is_ascii_alphanumeric() || "-_.".contains(sign)), "{said}");
    for odd in [
        "..%2f..%2fetc%2fpasswd",
        "%2e%2e%2fjournal",
        "..%5c..%5cwin.ini",
        "2026-09.pdf%00.json",
        "2026-09.%2e%2e%2fkeys",
        "2026-09..%2fpdf",
        "2026-13.pdf",
        "con",
        ".pdf",
        "2026-09.",
        "%ff.pdf",
        "2026-09.pdf?unit=..%2f..%2fkeys",
        "2026-09.pdf?unit=%0d%0ax-evil:1",
    ] {
        let page = vera.get(&format!("/reports/{odd}"));
        assert!(page.status.is_client_error(), "{odd}: {}", page.status);
        assert!(!page.headers.contains_key("x-evil") && !page.headers.contains_key("content-disposition"), "{odd}");
    }
}

/// The license's id comes from a backup server, and names the files of its reports.
#[test]
fn a_license_id_that_is_a_path_names_files_in_the_reports_folder_alone() {
    for id in ["../../etc/cron.d/x", "C:\\con\0\r\n\u{202e}fdp", "..%2f%2e%2e/"] {
        let mut plan = WorldPlan::small(3, at("2026-09-29T09:30:00Z"), 2);
        (plan.settings.reports_dir, plan.settings.state_dir) = ("/reports".into(), "/state".into());
        plan.servers[0].estate.license.license_id = Some(id.to_owned());
        let disk = SimulatedDisk::new();
        let place = Place::Temporary { journal: "/state/journal".into() };
        let mut world = World::on(plan, Arc::new(disk.clone()), place, Some(disk.clone()));
        world.run_until(at("2026-10-01T08:00:00Z"));
        let files = disk.list(Path::new("/reports/2026-09")).expect("the month's folder");
        assert!(files.len() >= 5, "{id:?}: {files:?}");
        for name in files {
            assert!(name.chars().all(|sign| sign.is_ascii_alphanumeric() || "-_.".contains(sign)), "{id:?}: {name}");
        }
    }
}
