//! The worked examples of the field, every boundary, and what can never be.

use chrono::NaiveDate;
use proptest::prelude::*;
use tidegauge::domain::Points;
use tidegauge::domain::license::{License, LicenseType};
use tidegauge::rules::overage::{
    Ahead, Allowance, Band, Claim, Overage, Turn, Usage, ahead, not_processed, overage, tolerated_through,
};
use tidegauge::rules::renewal::Switch;

use super::made::{at, points};

fn whole(amount: i64) -> Points {
    Points::whole(amount)
}

fn rental(new_last_month: i64) -> Allowance {
    Allowance::Rental { new_last_month: whole(new_last_month) }
}

const ON: Allowance = Allowance::Universal { auto_update: Switch::On };
const OFF: Allowance = Allowance::Universal { auto_update: Switch::Off };

fn measured(licensed: i64, used: i64, allowance: Allowance) -> Overage {
    overage(whole(licensed), whole(used), allowance)
}

/// Licensed, rule, and the cap: the examples of domain.md 5.3, 5.4 and the last line of section 6.
const CAPS: [(i64, Allowance, i64); 3] = [(500, ON, 600), (500, OFF, 550), (500, Allowance::Nothing, 500)];

#[test]
fn the_cap_is_the_worked_examples() {
    let rentals = [(50, rental(10), 80), (200, rental(10), 250), (200, rental(15), 255)];
    for (licensed, allowance, cap) in rentals.into_iter().chain(CAPS) {
        assert_eq!(measured(licensed, 0, allowance).cap, whole(cap), "{licensed} {allowance:?}");
    }
}

/// The last excess of each band, and the first one of the next: (licensed, rule, silent through, processed through).
fn bands() -> Vec<(i64, Allowance, i64, i64)> {
    vec![
        (50, rental(10), 10, 30),
        (200, rental(10), 20, 50),
        (200, rental(0), 20, 40),
        (0, rental(0), 10, 20),
        // Instances are silent below the threshold only.
        (500, ON, 49, 100),
        (500, OFF, 24, 50),
        (50, ON, 9, 20),
        (50, OFF, 4, 10),
        (50, Allowance::Nothing, 0, 0),
    ]
}

#[test]
fn every_band_ends_exactly_where_the_field_says() {
    for (licensed, allowance, silent, processed) in bands() {
        let band = |excess: i64| measured(licensed, licensed + excess, allowance).band;
        let told = format!("{licensed} {allowance:?}");
        assert_eq!((band(-licensed), band(0)), (Band::Within, Band::Within), "{told}");
        if 0 < silent {
            assert_eq!((band(1), band(silent)), (Band::Silent, Band::Silent), "{told}");
        }
        if silent < processed {
            assert_eq!((band(silent + 1), band(processed)), (Band::Weekly, Band::Weekly), "{told}");
        }
        assert_eq!(band(processed + 1), Band::Over, "{told}");
    }
}

#[test]
fn an_excess_says_how_many_more_are_possible_and_how_many_are_not_processed() {
    let weekly = measured(200, 240, rental(10));
    assert_eq!((weekly.exceeded_by, weekly.more_possible, weekly.not_processed), (whole(40), whole(10), whole(0)));
    let over = measured(200, 263, rental(10));
    assert_eq!((over.exceeded_by, over.more_possible, over.not_processed), (whole(63), whole(0), whole(13)));
    let within = measured(200, 150, rental(10));
    assert_eq!((within.exceeded_by, within.more_possible, within.not_processed), (whole(0), whole(100), whole(0)));
}

#[test]
fn fractions_of_points_are_exact() {
    let at_threshold = overage(points("133"), points("146.3"), rental(0));
    assert_eq!(at_threshold.band, Band::Silent);
    assert_eq!(overage(points("133"), points("146.300000001"), rental(0)).band, Band::Weekly);
    assert_eq!(at_threshold.cap, points("159.6"));
}

#[test]
fn the_rule_follows_the_type_of_the_license() {
    let of = |kind| Allowance::of(kind, whole(15), Switch::Off);
    assert_eq!(of(LicenseType::Rental), Some(rental(15)));
    assert_eq!((of(LicenseType::Subscription), of(LicenseType::Perpetual)), (Some(OFF), Some(OFF)));
    for kind in [LicenseType::Evaluation, LicenseType::Nfr, LicenseType::Promo, LicenseType::Free] {
        assert_eq!(of(kind), Some(Allowance::Nothing));
    }
    assert_eq!(of(LicenseType::Unknown), None, "no rule is made up for a type that is not known");
}

#[test]
fn slots_go_first_in_first_out_and_nobody_overtakes() {
    let claim = |id: &str, on: &str, points: i64| Claim {
        id: id.to_owned(),
        first_processed_at: at(&format!("{on}T00:00:00Z")),
        points: whole(points),
        shares: None,
    };
    let claims = vec![
        claim("newest, small", "2026-03-03", 1),
        claim("oldest", "2026-01-01", 11),
        claim("b, same day as a", "2026-02-01", 11),
        claim("a", "2026-02-01", 11),
        claim("too large", "2026-03-02", 11),
    ];
    let named = |cap: i64| not_processed(claims.clone(), whole(cap)).into_iter().map(|one| one.id).collect::<Vec<_>>();
    assert_eq!(named(45), [""; 0]);
    assert_eq!(named(44), ["newest, small"]);
    assert_eq!(named(40), ["too large", "newest, small"], "the small one does not overtake");
    assert_eq!(named(30), ["b, same day as a", "too large", "newest, small"]);
    assert_eq!(named(0).len(), 5);
}

#[test]
fn rental_overage_is_tolerated_for_sixty_days() {
    assert_eq!(tolerated_through(at("2026-03-15T10:00:00Z")), "2026-05-14".parse::<NaiveDate>().unwrap());
}

fn license(expires_on: &str) -> License {
    let expires_on = Some(expires_on.parse().unwrap());
    License { kind: LicenseType::Rental, licensed_points: Some(whole(200)), expires_on, ..License::default() }
}

fn usage(used: i64, new: i64, new_last_month: i64) -> Usage {
    Usage { used: whole(used), new: whole(new), new_last_month: whole(new_last_month), auto_update: Switch::On }
}

fn told(ahead: &[Ahead]) -> Vec<String> {
    let told = |ahead: &Ahead| {
        let turn = match ahead.turn {
            Turn::NoticeBegins => "notice".to_owned(),
            Turn::Expires => "expires".to_owned(),
            Turn::ProcessingStops => "stops".to_owned(),
            Turn::ToleranceEnds => "tolerance ends".to_owned(),
            Turn::LimitExceeded { overage } => {
                format!("{:?} by {} of cap {}", overage.band, overage.exceeded_by, overage.cap)
            }
        };
        format!("{} {turn}", ahead.at.format("%Y-%m-%d"))
    };
    ahead.iter().map(told).collect()
}

#[test]
fn what_comes_is_named_with_its_day() {
    let now = at("2026-02-25T12:00:00Z");
    let calm = ahead(&license("2026-03-15"), &usage(99, 15, 0), None, now);
    assert_eq!(told(&calm), ["2026-03-08 notice", "2026-03-16 expires", "2026-05-15 stops"]);
    let growing = ahead(&license("2027-03-15"), &usage(200, 45, 0), None, now);
    assert_eq!(told(&growing)[0], "2026-03-01 Weekly by 45 of cap 285", "what was new is used, and is P");
    let falling_due = ahead(&license("2026-02-20"), &usage(262, 0, 30), None, now);
    let expected = ["2026-02-25 Weekly by 62 of cap 270", "2026-03-01 Over by 62 of cap 240", "2026-04-22 stops"];
    assert_eq!(told(&falling_due), expected, "on the 1st last month's new points no longer raise the cap");
    let tolerated = ahead(&license("2027-03-15"), &usage(262, 0, 30), Some(at("2026-02-01T10:00:00Z")), now);
    assert_eq!(told(&tolerated)[2], "2026-04-03 tolerance ends");
    let kept = ahead(&license("2027-03-15"), &usage(99, 0, 0), Some(at("2026-02-01T10:00:00Z")), now);
    assert!(!told(&kept).iter().any(|turn| turn.contains("tolerance")), "nothing is exceeded");
    let stopped = ahead(&license("2025-01-01"), &usage(99, 0, 0), None, now);
    assert_eq!(told(&stopped), ["2025-03-03 stops"]);
    assert_eq!(ahead(&License::default(), &usage(99, 15, 0), None, now), []);
}

#[test]
fn the_first_of_march_of_the_worked_example() {
    let on_the_first = usage(99, 15, 0).on_the_first();
    assert_eq!(on_the_first, usage(114, 0, 15));
    let overage = on_the_first.overage(&license("2027-03-15")).unwrap();
    assert_eq!((overage.cap, overage.band), (whole(255), Band::Within));
}

fn any_points() -> impl Strategy<Value = Points> {
    (0u32..200_000).prop_map(|tenths| Points::new(rust_decimal::Decimal::new(i64::from(tenths), 1)))
}

fn any_allowance() -> impl Strategy<Value = Allowance> {
    prop_oneof![
        any_points().prop_map(|new_last_month| Allowance::Rental { new_last_month }),
        Just(ON),
        Just(OFF),
        Just(Allowance::Nothing),
    ]
}

proptest! {
    #[test]
    fn using_more_never_looks_better(
        licensed in any_points(), used in any_points(), more in any_points(), allowance in any_allowance()
    ) {
        let (one, other) = (overage(licensed, used, allowance), overage(licensed, used + more, allowance));
        prop_assert!(one.band <= other.band);
        prop_assert!(one.exceeded_by <= other.exceeded_by && one.not_processed <= other.not_processed);
        prop_assert!(other.more_possible <= one.more_possible);
        prop_assert!(licensed <= one.cap && one.cap == other.cap);
        prop_assert_eq!(one.used + one.more_possible - one.not_processed, one.cap);
        prop_assert_eq!(one.band == Band::Over, !one.not_processed.is_zero());
    }

    #[test]
    fn what_is_processed_never_exceeds_the_cap(
        weights in prop::collection::vec((0i64..1000, 1i64..20), 0..40), cap in 0i64..400
    ) {
        let claims: Vec<Claim> = weights.iter().enumerate().map(|(n, (hour, points))| Claim {
            id: format!("{n:03}"),
            first_processed_at: at("2026-01-01T00:00:00Z") + chrono::TimeDelta::hours(*hour),
            points: whole(*points),
            shares: None,
        }).collect();
        let total: Points = claims.iter().map(|claim| claim.points).sum();
        let left_out = not_processed(claims.clone(), whole(cap));
        let processed = total - left_out.iter().map(|claim| claim.points).sum::<Points>();
        prop_assert!(processed <= whole(cap));
        prop_assert_eq!(left_out.is_empty(), total <= whole(cap));
        let first_out = left_out.iter().map(|claim| claim.first_processed_at).min();
        let processed = claims.iter().filter(|claim| !left_out.contains(claim));
        for claim in processed {
            prop_assert!(first_out.is_none_or(|first_out| claim.first_processed_at <= first_out));
        }
    }
}
