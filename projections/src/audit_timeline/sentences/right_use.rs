//! Uses of rights, told.

use rollcall_domain::permissions::right_use::{RightKind, RightUseEvent, UseSource, UsedRight};
use uuid::Uuid;

use super::{Telling, lower};

pub(super) fn sentence(event: &RightUseEvent, telling: Telling<'_>) -> String {
    let RightUseEvent::RightUsed { user, organization, right, day, source } = event;
    let person = telling.person(*user);
    let at = match organization {
        Some(organization) => format!(" ({})", telling.organization(*organization)),
        None => String::new(),
    };
    let told = match source {
        UseSource::Portal => String::new(),
        UseSource::External => format!(", as {} reported", telling.who()),
    };
    format!("{person} used the right to {}{at} on {day}{told}.", what(right, telling))
}

fn what(right: &UsedRight, telling: Telling<'_>) -> String {
    let npi = right.npi.as_ref().map(ToString::to_string).unwrap_or_default();
    let word = right.of.as_ref().map(lower).unwrap_or_default();
    let thing = |kind: &str| {
        let id = right.of.as_deref().and_then(|of| of.parse::<Uuid>().ok());
        telling.thing(kind, id.unwrap_or_default())
    };
    match right.kind {
        RightKind::ViewOrganization => "see the organisation's lists".to_owned(),
        RightKind::ManageUsers => "manage users".to_owned(),
        RightKind::ViewNpi => format!("see NPI {npi}"),
        RightKind::ManagePin => format!("manage the PIN of NPI {npi}"),
        RightKind::ReadCorrespondence => format!("read {word} of NPI {npi}"),
        RightKind::UseFeature => format!("use {word}"),
        RightKind::HoldJobRole => format!("work as {}", thing("job role")),
        RightKind::ViewLocation => format!("see {}", thing("location")),
        RightKind::ChooseLocation => format!("choose {}", thing("location")),
        RightKind::ReadTaxId => format!("read what is filed under {}", thing("tax id")),
        RightKind::PlanRole => {
            format!("act as {}", right.of.clone().unwrap_or_default())
        }
        RightKind::SubmitTransactions => format!("submit transactions for NPI {npi}"),
    }
}
