//! Which keys auto update renews, and why not.

use tidegauge::domain::Points;
use tidegauge::domain::license::{License, LicenseType};
use tidegauge::domain::license_sections::{LicenseSections, SocketSection};
use tidegauge::rules::eligibility::{Applicant, Ineligible, eligible, is_merged};

fn rental() -> License {
    License {
        kind: LicenseType::Rental,
        edition: Some("EnterprisePlus".to_owned()),
        support_id: Some("01234567".to_owned()),
        licensed_points: Some(Points::whole(2000)),
        ..License::default()
    }
}

fn judged(license: &License) -> Result<(), Ineligible> {
    eligible(Applicant { license, enrolled_contract: None, revoked: false })
}

#[test]
fn rental_subscription_and_perpetual_keys_with_a_contract_are_renewed_and_what_is_not_stated_is_asked() {
    for kind in [LicenseType::Rental, LicenseType::Subscription, LicenseType::Perpetual, LicenseType::Unknown] {
        assert_eq!(judged(&License { kind, ..rental() }), Ok(()), "{kind:?}");
    }
}

#[test]
fn community_edition_is_told_by_type_or_edition() {
    for kind in [LicenseType::Free, LicenseType::Empty] {
        assert_eq!(judged(&License { kind, ..rental() }), Err(Ineligible::CommunityEdition));
    }
    let edition = Some("community".to_owned());
    assert_eq!(judged(&License { edition, ..rental() }), Err(Ineligible::CommunityEdition));
}

#[test]
fn evaluation_nfr_and_promo_keys_are_their_vendors() {
    for kind in [LicenseType::Evaluation, LicenseType::Nfr, LicenseType::Promo] {
        assert_eq!(judged(&License { kind, ..rental() }), Err(Ineligible::TypeNotSupported));
    }
}

#[test]
fn a_contract_number_stands_in_the_support_id_or_comes_with_the_enrolment() {
    for support_id in [None, Some(""), Some("  "), Some("00000000"), Some("none"), Some("N/A")] {
        let license = License { support_id: support_id.map(str::to_owned), ..rental() };
        assert_eq!(judged(&license), Err(Ineligible::NoContract), "{support_id:?}");
        let enrolled = Applicant { license: &license, enrolled_contract: Some("C-2026-001"), revoked: false };
        assert_eq!(eligible(enrolled), Ok(()), "{support_id:?}");
    }
}

#[test]
fn a_merged_support_id_is_refused_even_when_enrolled() {
    for support_id in ["01234567,07654321", "01234567; 07654321", "01234567+07654321", "01234567 07654321"] {
        assert!(is_merged(support_id));
        let license = License { support_id: Some(support_id.to_owned()), ..rental() };
        let enrolled = Applicant { license: &license, enrolled_contract: Some("C-2026-001"), revoked: false };
        assert_eq!(eligible(enrolled), Err(Ineligible::MergedSupportIds));
    }
    assert!(!is_merged(" 01234567 "));
}

#[test]
fn an_old_socket_key_without_instances_wants_an_instance_key() {
    let sockets = Some(SocketSection { licensed: 8, ..SocketSection::default() });
    let with_sockets = License { sections: LicenseSections { sockets, ..LicenseSections::default() }, ..rental() };
    let socket_key = License { licensed_points: None, ..with_sockets.clone() };
    assert_eq!(judged(&socket_key), Err(Ineligible::OldKey));
    assert_eq!(judged(&with_sockets), Ok(()), "sockets beside instances are renewed with them");
}

#[test]
fn a_revoked_key_is_known_by_the_servers_answer() {
    let license = rental();
    let revoked = Applicant { license: &license, enrolled_contract: None, revoked: true };
    assert_eq!(eligible(revoked), Err(Ineligible::Revoked));
}

#[test]
fn every_reason_says_what_to_do() {
    for reason in Ineligible::ALL {
        let words = reason.to_string();
        let acts = ["install", "ask", "enrol"];
        assert!(acts.iter().any(|act| words.contains(act)) && words.lines().count() == 1, "{words}");
    }
}
