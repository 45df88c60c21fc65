//! Rights about the NPIs that an organisation holds.

use rollcall_domain::{permissions::right_use::RightKind, policies::Feature};

use super::{Holding, Look, Member, RightKey, Span};
use crate::access_register::{
    AccessSource,
    interval::{Interval, Timeline},
};

/// A level for an NPI that counts.
struct Seen<'a> {
    npi: &'a str,
    level: &'a str,
    span: Span,
    /// The entry that decides, if one was granted, and for how long the NPI is held.
    granted: Option<&'a Interval>,
    holds: &'a Interval,
}

impl<'a> Look<'a> {
    pub(super) fn npis(&mut self, member: &Member<'a>) {
        let held = self.held;
        if let Some(npi) = self.npi {
            let timeline = Timeline::NpiHeld(member.organization, npi.to_owned());
            if let Some(holds) = self.at(&timeline) {
                self.npi(member, (npi, holds));
            }
            return;
        }
        for timeline in held.of_holder(member.organization.0) {
            if let Timeline::NpiHeld(_, npi) = timeline
                && let Some(holds) = self.at(timeline)
            {
                self.npi(member, (npi, holds));
            }
        }
    }

    /// The NPI's own entry counts, else the one for all, unless policy gives administrators more.
    fn npi(&mut self, member: &Member<'a>, (npi, holds): (&'a str, &'a Interval)) {
        let (user, organization) = (self.user, member.organization);
        let entry =
            |scope: &str| self.at(&Timeline::NpiLevel(user, organization, scope.to_owned()));
        let own = entry(npi);
        let granted = own.or_else(|| entry("*"));
        let word = granted.and_then(|row| row.value.first()).map(String::as_str);
        let implied = member.role.zip(self.rules.all_npis);
        let implied = implied.filter(|_| member.is_admin() && word != Some("ADMIN"));
        let base = member.span.and(holds);
        let (level, source, span) = match (implied, granted, word) {
            (Some(((_, role), policy)), ..) => {
                ("ADMIN", AccessSource::ImpliedByAdmin, base.and(role).and(policy))
            }
            (None, Some(row), Some(word)) if word != "NONE" => {
                let source =
                    if own.is_some() { AccessSource::Direct } else { AccessSource::AllNpis };
                (word, source, base.and(row))
            }
            (None, ..) => return,
        };
        let seen = Seen { npi, level, span, granted, holds };
        self.about(member, &seen, (RightKind::ViewNpi, ""), (source, span));
        if let Some(pins) = &self.rules.pins
            && if level == "ADMIN" { pins.admins } else { pins.processors }
        {
            let span = span.within(pins.span);
            self.about(member, &seen, (RightKind::ManagePin, ""), (source, span));
        }
        self.correspondence(member, &seen);
    }

    fn about(
        &mut self,
        member: &Member<'_>,
        seen: &Seen<'_>,
        (kind, of): (RightKind, &str),
        (source, span): (AccessSource, Span),
    ) {
        let organization = Some(member.organization);
        let key = RightKey { organization, npi: seen.npi.to_owned(), kind, of: of.to_owned() };
        self.add(key, Holding { level: seen.level.to_owned(), source, span });
    }

    /// Types granted count only with a level granted; a level that policy implies does not open them.
    fn correspondence(&mut self, member: &Member<'_>, seen: &Seen<'_>) {
        let Some(on) = self.rules.feature(Feature::Correspondence.as_str()) else { return };
        let (user, organization) = (self.user, member.organization);
        let entry =
            |scope: &str| self.at(&Timeline::Correspondence(user, organization, scope.to_owned()));
        let own = entry(seen.npi);
        let types = own.or_else(|| entry("*"));
        let granted = seen.granted.filter(|row| row.value.first().is_some_and(|it| it != "NONE"));
        let kind = RightKind::ReadCorrespondence;
        let mut opens_all = false;
        if let Some((types, granted)) = types.zip(granted) {
            let source = if own.is_some() { AccessSource::Direct } else { AccessSource::AllNpis };
            let span = member.span.and(seen.holds).and(granted).and(types).within(on);
            for of in &types.value {
                opens_all |= of == "*";
                self.about(member, seen, (kind, of), (source, span));
            }
        }
        if let (Some((_, role)), Some(implied)) =
            (member.role.filter(|_| member.is_admin()), self.rules.all_correspondence)
            && !opens_all
        {
            let span = seen.span.and(role).and(implied).within(on);
            self.about(member, seen, (kind, "*"), (AccessSource::ImpliedByAdmin, span));
        }
    }
}
