//! Orders about samples: importing files, sampling now.

use serde_json::json;

use crate::agent::{Agent, Hour, Query, Refused, Work};
use crate::rules::schedule::Duty;

use super::Obeyed;

impl Agent {
    pub(super) fn order_import(&mut self, file: &str, text: &str, hour: Hour, by: &str) -> Result<Obeyed, Refused> {
        let (taken, known) = self.import(file, text, hour, by)?;
        if taken == 0 {
            return Err(Refused::new(3, format!("{file}: every sample in it is known already ({known})")));
        }
        Ok(Obeyed::Done(json!({"file": file, "taken": taken, "known_already": known})))
    }

    pub(super) fn order_sample(&mut self, server: &str, hour: Hour) -> Result<Obeyed, Refused> {
        let Some(entry) = self.settings.server(server).map(|entry| entry.name.clone()) else {
            return Err(Refused::new(78, format!("the settings name no server '{server}'")));
        };
        let duty = Duty::Collect { server: entry };
        if self.flights.contains(&duty) {
            return Err(Refused::new(75, format!("{server} is being sampled right now")));
        }
        match self.begin(&duty, hour)? {
            Work::Talk(talk) => {
                let then = Query::Sampled { server: server.to_owned() };
                Ok(Obeyed::Carry { duty, talk, then })
            }
            Work::Over => Err(Refused::new(1, format!("{server} has no source"))),
        }
    }
}
