//! The rules, one module a file of `src/rules/`.

mod causes; // what lies between peak and report
mod cloud_connect; // what tenants' counts may become by adjusting, and the grid
mod counting; // protected, rental, new, billable; ledger; weights
mod deadline_calendar; // the days ahead
mod deadlines; // days left, presets
mod eligibility; // which keys auto update renews, and why not
mod finality; // sent or entered: one rule
mod finalizing; // when a console's own report may be finalized
mod forecast; // the next 1st, agreeing with report and counting
mod forgetting; // who still needs a month
mod four_eyes; // whose adjustments need a second person
pub mod gate; // open, held, undetermined; causes
mod instances; // Subscription and Perpetual keys
mod kept_out; // servers sampled directly are not counted through a console too
mod license_page; // docs/LICENSE.md is what the tables say
mod license_results; // every message of the table
mod license_state; // notice, grace, what is told when
mod license_watch; // told once each, and never doubled
mod made; // workloads, samples, reports to try rules on
mod month_difference; // last month against this one, cause by cause
mod month_difference_sums; // over months drawn by chance
mod overage; // allowance, bands, what is not processed
mod points_table; // weights where no server states one
mod rating; // where weights come from; unknown types
mod reminding; // reminders on working days, up to the deadline and after it
pub mod renewal; // cadence, retry window, switch, acceptable keys
mod renewal_properties; // the window's length, a key never goes back
mod report_comparison; // beside the console's own, difference by difference
mod reporting; // the report of a month, classified at its end
mod retention; // when something goes by age, and what is still owed
mod review; // adjust, reset, postpone, carry over
mod schedule; // what is due, and when
mod scrubbing; // texts without names
mod server_update; // a backup server's own words as one of the five results
mod standing; // sums carried on by what changed
mod unstructured; // sizes of shares
mod usage_series; // a period in steps
mod working_days; // days off, and the last working day
mod workload_table; // a report's workloads, page by page
