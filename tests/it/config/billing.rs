//! `[billing]`: profiles and the supplier's columns.

use expect_test::expect;

use super::{check_refused, read};

const PROFILES: &str = include_str!("../../../packaging/billing-profiles.toml");

#[test]
fn the_example_profiles_are_good_and_are_shown() {
    let settings = read(PROFILES).expect("the examples hold");
    let names: Vec<&str> = settings.billing_profiles.iter().map(|profile| profile.name.as_str()).collect();
    assert_eq!(names, ["continental", "plain", "tabs"]);
    let shown = settings.explain();
    assert!(shown.contains("billing.profile continental = Debtor, Name, Document"), "{shown}");
    assert!(shown.contains("billing.supplier.types VM-500 = VM"), "{shown}");
}

#[test]
fn a_wrong_profile_names_the_line_and_the_nearest_placeholder() {
    check_refused(
        r#"
[[billing.profile]]
name = "accounts"
delimiter = ":"
columns = [{ name = "Debtor", value = "{customer_nr}" }, { name = "Amount", value = "{amount" }]
[[billing.profile]]
name = "focus"
colums = []
[[billing.profile]]
name = "a b"
columns = [{ name = "Amount", valu = "{amount}" }]
[billing.supplier]
tpye = "Artikel"
"#,
        expect![[r#"
            t.toml:4: `delimiter` of billing profile accounts is ":": write "," or ";" or "tab" or "|"
            t.toml:5: `value` "{customer_nr}" of column Debtor of billing profile accounts has no placeholder {customer_nr}: did you mean {customer_number}?
            t.toml:5: `value` "{amount" of column Amount of billing profile accounts has a brace without its other; a brace of its own is written {{ or }}: write {tenant}, say
            t.toml:6: "focus" is a billing format of the program: give the profile another name
            t.toml:6: billing profile focus has no columns: add columns = [{ name = "Amount", value = "{amount}" }]
            t.toml:8: `colums` is not a setting of billing profile focus: did you mean `columns`?
            t.toml:9: `name` of a billing profile is "a b": write letters, digits, - and _
            t.toml:11: `value` of column Amount of billing profile a b is missing: add value = "{amount}"
            t.toml:11: `valu` is not a setting of column Amount of billing profile a b: did you mean `value`?
            t.toml:13: `tpye` is not a setting of supplier of [billing]: did you mean `type`?"#]],
    );
}

#[test]
fn two_profiles_of_one_name_are_refused() {
    let one = "[[billing.profile]]\nname = \"a\"\ncolumns = [{ name = \"Amount\", value = \"{amount}\" }]\n";
    check_refused(&one.repeat(2), expect!["t.toml:4: two billing profiles are called a: rename one of them"]);
}
