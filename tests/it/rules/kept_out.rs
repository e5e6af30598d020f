//! Which of a source's servers are those that are sampled directly.

use std::collections::BTreeMap;

use tidegauge::rules::kept_out::{Direct, kept_out};

fn direct(server: &str, host: &str) -> Direct {
    Direct { server: server.to_owned(), known_as: vec![server.to_owned(), host.to_owned()] }
}

fn pairs(out: BTreeMap<&str, String>) -> Vec<String> {
    out.into_iter().map(|(named, direct)| format!("{named} is {direct}")).collect()
}

#[test]
fn the_only_one_of_an_id_is_the_direct_server_whatever_it_is_called() {
    assert_eq!(pairs(kept_out(&["berlin@vspc"], &[direct("vbr01", "10.0.0.7")])), ["berlin@vspc is vbr01"]);
    let clones = [direct("vbr01", "a"), direct("vbr02", "b")];
    assert_eq!(pairs(kept_out(&["berlin@vspc"], &clones)), ["berlin@vspc is vbr01"]);
}

#[test]
fn of_clones_the_one_called_as_the_direct_server_is_it() {
    let out = kept_out(&["restored@vspc", "VBR01@vspc"], &[direct("vbr01", "10.0.0.7")]);
    assert_eq!(pairs(out), ["VBR01@vspc is vbr01"]);
    let by_host = kept_out(&["restored@vspc", "bk.customer.example@vspc"], &[direct("vbr01", "BK")]);
    assert_eq!(pairs(by_host), ["bk.customer.example@vspc is vbr01"]);
}

#[test]
fn one_direct_server_keeps_one_clone_out() {
    let named = ["vbr01.a.example@vspc", "vbr01@vspc"];
    assert_eq!(pairs(kept_out(&named, &[direct("vbr01", "10.0.0.7")])), ["vbr01@vspc is vbr01"]);
    assert_eq!(pairs(kept_out(&["one@vspc", "two@vspc"], &[direct("vbr01", "10.0.0.7")])), [""; 0]);
}
