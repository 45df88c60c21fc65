-- The copies from $bench.first to $bench.last, events and timeline; may run in several sessions.
INSERT INTO es.events
SELECT s.last + s.n * (k - 1) + e.tenant_position, e.tenant_id, s.n * k + e.tenant_position,
       e.aggregate_type, bench.id(e.aggregate_id::uuid, '/' || k)::text, e.sequence,
       bench.id(e.event_id, '/' || k), e.event_type, e.event_version,
       CASE WHEN t.clone > 0 THEN
         replace(replace(replace(replace(e.payload::text,
           coalesce(e.subject_id::text, '~'), bench.id(coalesce(e.subject_id, e.tenant_id), t.variant)::text),
           coalesce(e.actor_id::text, '~'), bench.id(coalesce(e.actor_id, e.tenant_id), t.variant)::text),
           t.organization::text, bench.id(t.organization, t.variant)::text),
           coalesce(e.npi, '~'), coalesce(p.becomes, '~'))::json
         ELSE e.payload END,
       -- The seed was recorded by nobody in particular; here people did what concerns them.
       e.metadata, CASE WHEN e.subject_id IS NULL THEN e.actor_kind ELSE 'USER' END,
       coalesce(bench.id(e.subject_id, v), e.actor_id), bench.id(e.organization_id, v), bench.id(e.subject_id, v),
       bench.id(e.subject_organization_id, v), coalesce(p.becomes, e.npi),
       bench.id(e.correlation_id, '/' || k), bench.id(e.causation_id, '/' || k), bench.id(e.command_id, '/' || k),
       e.recorded_at + s.span * k, e.occurred_at + s.span * k, e.effective_at + s.span * k,
       decode(md5(e.event_id::text || k), 'hex')
  FROM bench.seed s
 CROSS JOIN generate_series(current_setting('bench.first')::int, current_setting('bench.last')::int) k
  JOIN es.events e ON e.tenant_id = bench.tenant() AND e.tenant_position <= s.n
  LEFT JOIN bench.turns t ON t.copy = k AND t.organization = coalesce(e.organization_id, e.subject_organization_id)
 CROSS JOIN LATERAL (SELECT coalesce(t.variant, '') AS v) w
  LEFT JOIN bench.npis p ON p.npi = e.npi AND p.clone = t.clone;

INSERT INTO read.audit_timeline (tenant_id, position, event_id, event_type, outcome, audience, actor_kind,
       actor_id, organization_id, subject_id, subject_organization_id, npi, command, session_id,
       policy_version, correlation_id, causation_id, command_id, recorded_at, occurred_at, effective_at,
       before, after, names)
SELECT e.tenant_id, s.n * k + e.position, bench.id(e.event_id, '/' || k), e.event_type, e.outcome,
       e.audience, CASE WHEN e.subject_id IS NULL THEN e.actor_kind ELSE 'USER' END,
       coalesce(bench.id(e.subject_id, v), e.actor_id), bench.id(e.organization_id, v), bench.id(e.subject_id, v),
       bench.id(e.subject_organization_id, v), coalesce(p.becomes, e.npi), e.command,
       bench.id(e.session_id, '/' || k), e.policy_version,
       bench.id(e.correlation_id, '/' || k), bench.id(e.causation_id, '/' || k), bench.id(e.command_id, '/' || k),
       e.recorded_at + s.span * k, e.occurred_at + s.span * k, e.effective_at + s.span * k,
       e.before, e.after,
       (SELECT array_to_tsvector(array_agg(DISTINCT '~' || n.word)) FROM read.audit_names n
         WHERE n.tenant_id = bench.tenant() AND n.until IS NULL
           AND n.id IN (coalesce(bench.id(e.subject_id, v), e.actor_id), bench.id(e.organization_id, v),
                        bench.id(e.subject_id, v), bench.id(e.subject_organization_id, v)))
  FROM bench.seed s
 CROSS JOIN generate_series(current_setting('bench.first')::int, current_setting('bench.last')::int) k
  JOIN read.audit_timeline e ON e.tenant_id = bench.tenant() AND e.position <= s.n
  LEFT JOIN bench.turns t ON t.copy = k AND t.organization = coalesce(e.organization_id, e.subject_organization_id)
 CROSS JOIN LATERAL (SELECT coalesce(t.variant, '') AS v) w
  LEFT JOIN bench.npis p ON p.npi = e.npi AND p.clone = t.clone;
