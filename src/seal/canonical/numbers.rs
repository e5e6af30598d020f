//! Numbers as ECMAScript writes them.

/// `Number::toString` of ECMAScript (ECMA-262, 6.1.6.1.20) from Rust's shortest digits.
pub(super) fn ecmascript(number: f64) -> String {
    if number == 0.0 {
        return "0".to_owned();
    }
    let scientific = format!("{:e}", number.abs());
    let (mantissa, exponent) = scientific.split_once('e').expect("Rust writes {:e} with an e");
    let digits: String = mantissa.chars().filter(|sign| *sign != '.').collect();
    let exponent: i32 = exponent.parse().expect("Rust writes a whole exponent");
    let length = i32::try_from(digits.len()).expect("a double has at most 17 digits");
    let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or(0));
    let plain = match exponent {
        up if up >= length - 1 && up < 21 => format!("{digits}{}", zeros(up - length + 1)),
        up if (0..21).contains(&up) => {
            let (whole, rest) = digits.split_at(usize::try_from(up + 1).unwrap_or(0));
            format!("{whole}.{rest}")
        }
        down if (-6..0).contains(&down) => format!("0.{}{digits}", zeros(-down - 1)),
        far => {
            let (first, rest) = digits.split_at(1);
            let point = if rest.is_empty() { "" } else { "." };
            let sign = if far < 0 { '-' } else { '+' };
            format!("{first}{point}{rest}e{sign}{}", far.abs())
        }
    };
    if number < 0.0 { format!("-{plain}") } else { plain }
}
