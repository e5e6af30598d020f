//! How the PDF looks: A4, sizes in points, colours.

/// Red, green and blue, 0 to 255.
pub type Colour = [u8; 3];

pub const PAGE_WIDTH: f32 = 595.28;
pub const PAGE_HEIGHT: f32 = 841.89;
pub const MARGIN: f32 = 51.0;
/// Width of what stands between the margins.
pub const MEASURE: f32 = PAGE_WIDTH - 2.0 * MARGIN;
/// Where the text of a page ends, from its top; the footer stands below.
pub const BOTTOM: f32 = PAGE_HEIGHT - 62.0;

pub const INK: Colour = [28, 39, 49];
pub const MUTED: Colour = [98, 113, 125];
pub const ACCENT: Colour = [22, 102, 126];
/// Bars of a chart.
pub const WATER: Colour = [138, 184, 200];
pub const TINT: Colour = [240, 245, 247];
pub const RULE: Colour = [219, 227, 231];
pub const ALERT: Colour = [176, 82, 24];
pub const ALERT_TINT: Colour = [253, 243, 235];

pub const TITLE: f32 = 21.0;
pub const HEADING: f32 = 12.0;
pub const FIGURE: f32 = 23.0;
pub const BODY: f32 = 8.5;
pub const TABLE: f32 = 7.6;
pub const SMALL: f32 = 6.8;
/// Distance of two baselines, in sizes.
pub const LEADING: f32 = 1.36;
