//! What was taken away of the records and what auditors keep about them, told. What was asked for stands
//! beside the sentence.

use rollcall_domain::audit::{
    ActivityReviewsEvent, AuditExportEvent, AuditSinksEvent, ExportFormat, ReviewPeriod,
    SinkFormat, SodRight, SodRulesEvent, SodScope, SodTerms,
};

use super::{Telling, lower, short, time};

pub(super) fn sentence(event: &AuditExportEvent, telling: Telling<'_>) -> String {
    match event {
        AuditExportEvent::AuditExportRequested {
            by,
            organization,
            format,
            report,
            review,
            up_to,
            ..
        } => {
            let (who, at) = (telling.person(*by), telling.at("of", *organization));
            let format = match format {
                ExportFormat::Csv => "CSV",
                ExportFormat::JsonLines => "JSON Lines",
                ExportFormat::Ocsf => "OCSF",
                ExportFormat::Fhir => "FHIR",
                ExportFormat::Json => "JSON",
                ExportFormat::Pdf => "PDF",
            };
            let what = match (report, review) {
                (_, Some(review)) => format!("the {}", short("access review", review.0)),
                (Some(asked), None) => format!("the report {}", asked.report.definition().title),
                (None, None) => "audit events".to_owned(),
            };
            format!("{who} asked for {what}{at} up to position {up_to} as {format}.")
        }
        AuditExportEvent::AuditExportGiven { by, given, .. } => {
            format!(
                "{} was given a file of {} rows from the records.",
                telling.person(*by),
                given.rows
            )
        }
    }
}

pub(super) fn rule(event: &SodRulesEvent, telling: Telling<'_>) -> String {
    let who = telling.who();
    match event {
        SodRulesEvent::SodRuleDefined { terms, .. } => {
            let SodTerms { name, first, second, scope } = terms;
            let place = match scope {
                SodScope::SameNpi => "for one NPI",
                SodScope::SameOrganization => "in one organisation",
                SodScope::Anywhere => "anywhere",
            };
            let right = |right: &SodRight| {
                let of = right.of.as_ref().map(|of| format!(" of {of}")).unwrap_or_default();
                format!("{}{of}", lower(&right.kind))
            };
            let (first, second) = (right(first), right(second));
            format!("{who} defined the rule {name}: nobody holds {first} and {second} {place}.")
        }
        SodRulesEvent::SodRuleRetired { rule, .. } => {
            format!("{who} retired the {} on segregation of duties.", short("rule", rule.0))
        }
    }
}

pub(super) fn review(event: &ActivityReviewsEvent, telling: Telling<'_>) -> String {
    match event {
        ActivityReviewsEvent::ActivityReviewCompleted(done) => {
            let ReviewPeriod { from, to } = &done.period;
            let (who, from, to) = (telling.person(done.by), time(from), time(to));
            format!("{who} reviewed the activity from {from} to {to} and signed the findings.")
        }
        ActivityReviewsEvent::ActivityReviewOverdue { period, periods, .. } => {
            let (from, to) = (time(&period.from), time(&period.to));
            let many = if *periods == 1 { String::new() } else { format!(", {periods} reviews") };
            format!("Nobody reviewed the activity from {from} to {to} in time{many}.")
        }
    }
}

pub(super) fn sinks(event: &AuditSinksEvent, telling: Telling<'_>) -> String {
    use AuditSinksEvent as E;
    let who = telling.who();
    let sink = |id| super::short("sink", id);
    match event {
        E::AuditSinkCreated { sink: id, name, url, format, after_position, .. } => {
            let format = match format {
                SinkFormat::JsonLines => "JSON Lines",
                SinkFormat::Ocsf => "OCSF",
            };
            let sink = sink(id.0);
            format!(
                "{who} has audit events after position {after_position} pushed to {name} ({sink}) at \
                 {url} as {format}."
            )
        }
        E::AuditSinkSecretRotated { sink: id, both_until, .. } => {
            let (sink, end) = (sink(id.0), time(both_until));
            format!("{who} replaced the secret of {sink}; the former one counts until {end}.")
        }
        E::AuditSinkPaused { sink: id, cause, .. } => {
            format!("{who} stopped pushing audit events to {} ({}).", sink(id.0), lower(cause))
        }
        E::AuditSinkResumed { sink: id, .. } => {
            format!("{who} has audit events pushed to {} again.", sink(id.0))
        }
        E::AuditSinkDeleted { sink: id, .. } => {
            format!("{who} has audit events pushed to {} no more.", sink(id.0))
        }
        E::AuditSinkDelivered { sink: id, delivered } => format!(
            "{} took {} audit events, all that were for it after position {} up to {}.",
            sink(id.0),
            delivered.events,
            delivered.after_position,
            delivered.to_position
        ),
    }
}
