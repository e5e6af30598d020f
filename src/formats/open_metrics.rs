//! Readings in the OpenMetrics text format, which Prometheus scrapes.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use serde_json::Value;

/// What every name begins with.
const PREFIX: &str = "tidegauge";
/// Content type of the text.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// `tidegauge.readings/1` as text: every family a gauge.
///
/// # Errors
/// A reading that the format cannot hold.
pub fn text(readings: &Value) -> Result<String, std::fmt::Error> {
    let mut registry = Registry::with_prefix(PREFIX);
    registry.register_collector(Box::new(Families(readings.clone())));
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry)?;
    Ok(text)
}

#[derive(Debug)]
struct Families(Value);

impl Collector for Families {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), std::fmt::Error> {
        let version = [("version", self.0["version"].as_str().unwrap_or_default())];
        let mut build = encoder.encode_descriptor("build_info", "The running program", None, MetricType::Gauge)?;
        ConstGauge::new(1_i64).encode(build.encode_family(&version)?)?;
        for family in self.0["families"].as_array().into_iter().flatten() {
            let named = |field: &str| family[field].as_str().unwrap_or_default();
            let mut written = encoder.encode_descriptor(named("name"), named("help"), None, MetricType::Gauge)?;
            for reading in family["readings"].as_array().into_iter().flatten() {
                let labels = reading["labels"].as_object().into_iter().flatten();
                let labels: Vec<(String, String)> =
                    labels.map(|(name, label)| (name.clone(), label.as_str().unwrap_or_default().to_owned())).collect();
                // A metric is a float by its format; exact points stand in the reports.
                let value: f64 = reading["value"].as_str().and_then(|text| text.parse().ok()).unwrap_or(f64::NAN);
                ConstGauge::new(value).encode(written.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}
