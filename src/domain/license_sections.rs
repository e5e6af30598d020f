//! What a key licenses beside its instances: sockets, terabytes, and instances given on top (api.md 2.5).

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::Points;

/// The sections of a license block; most keys have none of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LicenseSections {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sockets: Option<SocketSection>,
    /// With it, unstructured data consumes terabytes and no instances (domain.md 7.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<CapacitySection>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gifted: Option<GiftedInstances>,
}

/// Sockets of hypervisor hosts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SocketSection {
    pub licensed: u64,
    pub used: u64,
    pub remaining: u64,
    pub expires_on: Option<NaiveDate>,
    pub support_expires_on: Option<NaiveDate>,
}

/// Terabytes of unstructured data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CapacitySection {
    pub licensed_tb: Decimal,
    pub used_tb: Decimal,
    /// Terabytes by what holds them, such as `FileShare`.
    pub used_tb_by_type: BTreeMap<String, Decimal>,
    pub expires_on: Option<NaiveDate>,
    pub support_expires_on: Option<NaiveDate>,
}

/// Instances given on top of a socket key (`promoInstancesNumber`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GiftedInstances {
    pub instances: Points,
    /// Licensed instances with the gifted ones among them, when the server says so.
    pub licensed_with_gifted: Option<Points>,
    pub expires_on: Option<NaiveDate>,
}

impl LicenseSections {
    pub fn is_empty(&self) -> bool {
        *self == LicenseSections::default()
    }
}
