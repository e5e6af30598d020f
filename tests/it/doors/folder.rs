//! Folders of the settings over the wire: what is listed, read, moved; what is refused.

use std::path::Path;

use tempfile::TempDir;
use tidegauge::ask::{Answer, Ask, Failure, FolderAnswer, FolderAsk};
use tidegauge::doors::Wire;
use tidegauge::doors::peer::{FolderPeer, PeerSettings};

use super::wire_to;

async fn done(folder: &Path, ask: FolderAsk) -> Result<FolderAnswer, Failure> {
    let wire = wire_to("spool", PeerSettings::Folder(FolderPeer { path: folder.to_owned() }));
    match wire.carry(Ask::Folder(ask)).await {
        Answer::Folder(answer) => Ok(answer),
        Answer::Failed(failure) => Err(failure),
        Answer::Http(_) | Answer::Mail(_) => panic!("a folder ask has a folder answer"),
    }
}

fn read(name: &str) -> FolderAsk {
    FolderAsk::Read { peer: "spool".into(), name: name.into(), bytes_max: 4 }
}

fn spool(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).expect("a temporary file");
    }
    folder
}

#[tokio::test]
async fn regular_files_are_listed_sorted_and_bounded() {
    let folder = spool(&[("b.json", ""), ("a.json", ""), ("c.json", ""), (".half", "")]);
    std::fs::create_dir(folder.path().join("rejected")).expect("a folder");
    let list = |entries_max| FolderAsk::List { peer: "spool".into(), entries_max };
    let Ok(FolderAnswer::Listed(names)) = done(folder.path(), list(2)).await else { panic!("a list") };
    assert_eq!(names, ["a.json", "b.json"]);
    let missing = done(&folder.path().join("nowhere"), list(2)).await.expect_err("no such folder");
    assert!(matches!(missing, Failure::File { .. }), "{missing}");
}

#[tokio::test]
async fn a_file_longer_than_the_limit_is_refused() {
    let folder = spool(&[("short", "1234"), ("long", "12345")]);
    let short = done(folder.path(), read("short")).await;
    assert!(matches!(short, Ok(FolderAnswer::Bytes(bytes)) if bytes == b"1234"));
    assert_eq!(done(folder.path(), read("long")).await.map(|_| ()), Err(Failure::TooLarge { bytes_max: 4 }));
}

#[tokio::test]
async fn names_never_leave_the_folder() {
    let outer = spool(&[("secret", "1234")]);
    let inner = outer.path().join("inner");
    std::fs::create_dir(&inner).expect("a folder");
    std::fs::write(inner.join("a"), "1").expect("a file");
    let absolute = outer.path().join("secret");
    let absolute = absolute.to_str().expect("text");
    for name in ["../secret", "rejected/../../secret", absolute, "", ".", "..", "a\0b", "..\\secret", "./a"] {
        let failure = done(&inner, read(name)).await.expect_err(name);
        assert!(matches!(&failure, Failure::File { why } if why.ends_with("refused")), "{name:?}: {failure}");
    }
    let escape = FolderAsk::Move { peer: "spool".into(), name: "a".into(), to: "../stolen".into() };
    done(&inner, escape).await.expect_err("it would leave the folder");
    let escape = FolderAsk::Write { peer: "spool".into(), name: "../made".into(), bytes: vec![1] };
    done(&inner, escape).await.expect_err("it would leave the folder");
    assert!(inner.join("a").exists() && !outer.path().join("stolen").exists() && !outer.path().join("made").exists());
}

#[cfg(unix)]
#[tokio::test]
async fn links_are_not_followed() {
    let outer = spool(&[("secret", "1234")]);
    let inner = outer.path().join("inner");
    std::fs::create_dir(&inner).expect("a folder");
    std::os::unix::fs::symlink("../secret", inner.join("link")).expect("a link");
    std::os::unix::fs::symlink("..", inner.join("up")).expect("a link");
    for name in ["link", "up/secret"] {
        let failure = done(&inner, read(name)).await.expect_err(name);
        assert!(failure.to_string().contains("goes through a link"), "{failure}");
    }
}

#[tokio::test]
async fn a_rejected_file_is_moved_with_its_reason_and_writes_over_nothing() {
    let folder = spool(&[("bad.json", "first")]);
    let put_away = || FolderAsk::Move { peer: "spool".into(), name: "bad.json".into(), to: "rejected/bad.json".into() };
    done(folder.path(), put_away()).await.expect("it is there");
    std::fs::write(folder.path().join("bad.json"), "second").expect("a file");
    done(folder.path(), put_away()).await.expect("it is there again");
    let reason =
        FolderAsk::Write { peer: "spool".into(), name: "rejected/bad.json.reason".into(), bytes: b"why".into() };
    done(folder.path(), reason).await.expect("a writable folder");
    let text = |name: &str| std::fs::read_to_string(folder.path().join("rejected").join(name)).expect(name);
    assert_eq!([text("bad.json"), text("bad.json.2"), text("bad.json.reason")], ["first", "second", "why"]);
}
