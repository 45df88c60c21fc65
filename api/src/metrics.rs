//! `/metrics` in Prometheus' text format (exposition format 0.0.4).
//!
//! Invariant: labels hold ids and names of projections only, nothing about people.

use std::fmt::Write;

use rollcall_journal::Lag;

/// The content type of [`render`]'s text.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The text for what the projections say about themselves.
#[must_use]
pub fn render(lags: &[Lag]) -> String {
    let mut text = String::new();
    family(&mut text, "rollcall_build_info", "gauge", "The version that answers.");
    // Writing to a string cannot fail.
    let _ = writeln!(text, "rollcall_build_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION"));
    family(&mut text, "rollcall_events_total", "counter", "Events in a tenant's journal.");
    let mut heads: Vec<_> = lags.iter().map(|lag| (lag.tenant, lag.head)).collect();
    heads.sort_unstable();
    heads.dedup();
    for (tenant, head) in heads {
        let _ = writeln!(text, "rollcall_events_total{{tenant=\"{tenant}\"}} {head}");
    }
    per_projection(&mut text, lags, "rollcall_projection_position", "Events taken in.", |lag| {
        lag.position
    });
    per_projection(&mut text, lags, "rollcall_projection_lag_events", "Events waiting.", |lag| {
        lag.head - lag.position
    });
    per_projection(&mut text, lags, "rollcall_projection_stalled", "1 while it stands.", |lag| {
        i64::from(lag.is_stalled())
    });
    text
}

fn family(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn per_projection(
    text: &mut String,
    lags: &[Lag],
    name: &str,
    help: &str,
    value: impl Fn(&Lag) -> i64,
) {
    family(text, name, "gauge", help);
    for lag in lags {
        let Lag { projection, tenant, .. } = lag;
        let value = value(lag);
        let _ = writeln!(text, "{name}{{projection=\"{projection}\",tenant=\"{tenant}\"}} {value}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_projection_tells_position_lag_and_standstill() {
        let lag = Lag {
            projection: "pins".to_owned(),
            tenant: uuid::Uuid::nil().into(),
            position: 7,
            head: 9,
            status: "STALLED".to_owned(),
            error: Some("no".to_owned()),
        };
        let text = render(&[lag]);
        let labels = "{projection=\"pins\",tenant=\"00000000-0000-0000-0000-000000000000\"}";
        for line in [
            format!("rollcall_projection_position{labels} 7"),
            format!("rollcall_projection_lag_events{labels} 2"),
            format!("rollcall_projection_stalled{labels} 1"),
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
    }
}
