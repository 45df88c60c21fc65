//! Reading one's own writes: a change, then a question that waits for it.
//!
//! Invariant: the answer shows the change, every time.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{measure::Measured, portal::Portal};

const CHANGE: &str = "mutation($input: SetNpiPermissionsInput!) {
    setNpiPermissions(input: $input) { position userErrors { code message } } }";
const LOOK: &str = "query($user: ID!, $of: ID!, $min: Position) {
    permissionMatrix(userId: $user, organizationId: $of, minPosition: $min) {
      npis { npi level } } }";

/// One client changes levels and looks at them, for `time`.
pub async fn measure(portal: &Portal, time: Duration, typename_ms: f64) {
    let practice = &portal.population.practices[1];
    let administrator = portal.client(&practice.people[0]).await;
    let (of, npi) = (practice.company.id, practice.company.npis[0].as_str());
    let (mut changes, mut looks, mut again) = (Vec::new(), Vec::new(), Vec::new());
    let begun = Instant::now();
    while begun.elapsed() < time {
        let nth = changes.len();
        let user = practice.people[1 + nth / 2 % (practice.people.len() - 1)].user;
        let level = ["ADMIN", "PROCESSOR"][nth % 2];
        let input = json!({ "userId": user, "organizationId": of,
            "permissions": [{ "npi": npi, "level": level }] });
        let sent = Instant::now();
        let changed = administrator.ask(CHANGE, &json!({ "input": input })).await;
        changes.push(sent.elapsed());
        let payload = &changed["setNpiPermissions"];
        assert_eq!(payload["userErrors"], json!([]), "{payload}");

        let variables = json!({ "user": user, "of": of, "min": payload["position"] });
        let sent = Instant::now();
        let seen = administrator.ask(LOOK, &variables).await;
        looks.push(sent.elapsed());
        let rows = seen["permissionMatrix"]["npis"].as_array().expect("rows");
        let row = rows.iter().find(|row| row["npi"] == npi).expect("the NPI's row");
        assert_eq!(row["level"], level, "the change is seen");

        let sent = Instant::now();
        administrator.ask(LOOK, &variables).await;
        again.push(sent.elapsed());
    }
    let time = begun.elapsed();
    for (name, latencies) in [
        ("setNpiPermissions", changes),
        ("permissionMatrix after it", looks),
        ("permissionMatrix again", again),
    ] {
        Measured::of(time, latencies).print(name, 1, None, typename_ms);
    }
}
