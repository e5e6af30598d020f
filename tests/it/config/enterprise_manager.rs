//! Enterprise Manager's switch in the settings, and other names of servers.

use super::*;

#[test]
fn enterprise_managers_switch_is_for_servers_that_it_manages_and_has_one_position() {
    let of = |name: &str, lines: &str| {
        format!("[[server]]\nname = \"{name}\"\nsource = \"snapshot_folder\"\npath = \"/{name}\"\n{lines}")
    };
    for manager in ["", "managed_by = \"vspc\"\n"] {
        let refused = read(&of("a", &format!("{manager}em_auto_update = true\n"))).expect_err("nobody's switch");
        assert!(refused.contains("`em_auto_update` of") && refused.contains("enterprise_manager"), "{refused}");
    }
    let managed = |name: &str, more: &str| of(name, &format!("managed_by = \"enterprise_manager\"\n{more}"));
    let (on, off) = ("em_auto_update = true\n", "em_auto_update = false\n");
    check_refused(
        &(managed("a", on) + &managed("b", "") + &managed("c", off)),
        expect![
            "t.toml:12: a and c share one license and differ in `em_auto_update`: write the same `em_auto_update` for both"
        ],
    );
    let north = |more: &str| format!("shared_license = \"north\"\n{more}");
    for good in [
        managed("a", on) + &managed("b", on),
        managed("a", on) + &managed("b", ""),
        managed("a", on) + &managed("b", &north(off)),
    ] {
        read(&good).expect("each unit has one position");
    }
}

#[test]
fn a_server_has_the_names_that_others_have_for_it() {
    let text =
        "[[server]]\nname = \"a\"\nsource = \"snapshot_folder\"\npath = \"/a\"\nknown_as = [\"vbr01\", \"backup\"]\n";
    let settings = read(text).expect("good settings");
    assert_eq!(settings.servers[0].known_as(), ["a", "vbr01", "backup"]);
    assert!(settings.explain().contains("server a.known_as = vbr01, backup\n"), "{}", settings.explain());
}
