//! The contracts of one page of the fleet, with what belongs to them.

use tokio_postgres::Row;

use super::super::fleet::{CONTRACTS_MAX, Looking, ROWS_MAX, message_ids};
use super::super::state::State;
use super::super::unit::UnitOnFile;
use super::rows::days;
use super::{LIST_SECONDS_MAX, Postgres, Unopened, put_row};
use crate::domain::Month;

/// The contracts of a page, and how many units each has; compared as the units' index orders them, not as ids are.
const CONTRACTS: &str = "SELECT c.id, (SELECT count(*) FROM unit u WHERE u.contract_id = c.id COLLATE \"default\") \
                         FROM contract c WHERE c.id > $1 ORDER BY c.id LIMIT $2";
/// Messages without their bodies.
const MESSAGES: &str = "SELECT 'message', id, value::text, NULL FROM message WHERE id = ANY($1)";

impl Postgres {
    /// What a page of the fleet after this contract is worked out of.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn fleet_after(&self, contract: &str, looking: Looking) -> Result<State, Unopened> {
        let contracts_max = i64::try_from(CONTRACTS_MAX).expect("a page is small");
        let counted = self.rows_within(LIST_SECONDS_MAX, CONTRACTS, &[&contract, &contracts_max]).await?;
        let contracts = of_a_page(&counted);
        let mut state = State::default();
        take(&mut state, &self.rows(include_str!("read_contracts.sql"), &[&contracts]).await?)?;
        let units: Vec<String> = state.units.keys().cloned().collect();
        let days: Vec<String> = units.iter().flat_map(|unit| days(unit, months(looking))).map(|row| row.id).collect();
        take(&mut state, &self.rows(include_str!("read_units.sql"), &[&units, &days]).await?)?;
        let of_unit =
            |(unit, on_file): (&String, &UnitOnFile)| message_ids(unit, on_file, looking).collect::<Vec<String>>();
        let messages: Vec<String> = state.units.iter().flat_map(of_unit).collect();
        take(&mut state, &self.rows(MESSAGES, &[&messages]).await?)?;
        Ok(state)
    }
}

/// As many contracts as have a page's rows.
fn of_a_page(counted: &[Row]) -> Vec<&str> {
    let mut units = 0;
    let mut contracts = Vec::new();
    for row in counted {
        contracts.push(row.get(0));
        units += usize::try_from(row.get::<_, i64>(1)).unwrap_or_default();
        if units >= ROWS_MAX {
            break;
        }
    }
    contracts
}

/// The months one of which is judged: two before this one, or a later one when a clock was ahead.
fn months(looking: Looking) -> [Month; 4] {
    let current = Month::of(looking.now);
    [current.previous().previous(), current.previous(), current, current.next()]
}

fn take(state: &mut State, read: &[Row]) -> Result<(), Unopened> {
    read.iter().try_for_each(|row| put_row(state, row)).map_err(Unopened::NotUnderstood)
}
