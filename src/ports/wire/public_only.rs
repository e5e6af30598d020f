//! Names resolved for endpoints that may only lie on the public internet.
//!
//! The connection is made to the very addresses that were looked at here: a name that resolves otherwise a moment later
//! changes nothing.

use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::doors::address::is_public;

/// Resolves names by the system, and refuses one of whose addresses any is not public.
pub struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host.as_str(), 0)).await?.collect();
            let addresses = all_public(&host, found)?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// An address that is not connected to.
#[derive(Debug, thiserror::Error)]
#[error("{host} is {address}, which is no address of the public internet; add allow_private = true if that is meant")]
pub struct NotPublic {
    host: String,
    address: std::net::IpAddr,
}

/// The addresses, when all of them are public.
fn all_public(host: &str, addresses: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, NotPublic> {
    match addresses.iter().find(|address| !is_public(address.ip())) {
        Some(odd) => Err(NotPublic { host: host.to_owned(), address: odd.ip() }),
        None => Ok(addresses),
    }
}

/// The same for a host that is written as an address, which nobody resolves.
pub fn refuse_literal(host: &str) -> Result<(), NotPublic> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<std::net::IpAddr>() {
        Ok(address) if !is_public(address) => Err(NotPublic { host: host.to_owned(), address }),
        Ok(_) | Err(_) => Ok(()),
    }
}
