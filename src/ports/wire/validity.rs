//! Until when a certificate is valid (RFC 5280, section 4.1.2.5).

use std::time::Duration;

use der::asn1::{AnyRef, GeneralizedTime, UtcTime};
use der::{Decode, Reader, Result, SliceReader, Tag, Tagged};

use crate::domain::Instant;

/// The end of the certificate's validity; `None`: the bytes are no certificate.
pub fn ends_at(certificate: &[u8]) -> Option<Instant> {
    let end = end_of(certificate).ok()?;
    Instant::from_timestamp(i64::try_from(end.as_secs()).ok()?, 0)
}

fn end_of(certificate: &[u8]) -> Result<Duration> {
    AnyRef::from_der(certificate)?.sequence(|outer: &mut SliceReader<'_>| {
        let end = outer.decode::<AnyRef<'_>>()?.sequence(to_be_signed)?;
        skip(outer)?;
        Ok::<_, der::Error>(end)
    })
}

/// Version, serial number, algorithm, issuer, validity; the rest is of no interest.
fn to_be_signed(reader: &mut SliceReader<'_>) -> Result<Duration> {
    let first: AnyRef<'_> = reader.decode()?;
    if first.tag().is_context_specific() {
        let _serial: AnyRef<'_> = reader.decode()?;
    }
    let _algorithm: AnyRef<'_> = reader.decode()?;
    let _issuer: AnyRef<'_> = reader.decode()?;
    let end = reader.decode::<AnyRef<'_>>()?.sequence(|validity: &mut SliceReader<'_>| {
        let _begins: AnyRef<'_> = validity.decode()?;
        time(validity.decode()?)
    })?;
    skip(reader)?;
    Ok(end)
}

fn time(value: AnyRef<'_>) -> Result<Duration> {
    if value.tag() == Tag::UtcTime {
        return Ok(value.decode_as::<UtcTime>()?.to_unix_duration());
    }
    Ok(value.decode_as::<GeneralizedTime>()?.to_unix_duration())
}

fn skip(reader: &mut SliceReader<'_>) -> Result<()> {
    while !reader.is_finished() {
        let _: AnyRef<'_> = reader.decode()?;
    }
    Ok(())
}
