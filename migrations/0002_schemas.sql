-- es: events and what is written with them. read: projections. ops: checkpoints, outbox, schedules.
CREATE SCHEMA es;
CREATE SCHEMA read;
CREATE SCHEMA ops;

GRANT USAGE ON SCHEMA es TO rollcall_writer, rollcall_runner, rollcall_sealer, rollcall_query;
GRANT USAGE ON SCHEMA read TO rollcall_writer, rollcall_runner, rollcall_sealer, rollcall_query;
GRANT USAGE ON SCHEMA ops TO rollcall_writer, rollcall_runner, rollcall_sealer, rollcall_query;
