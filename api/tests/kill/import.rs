//! An import of people that is killed again and again, and begun again each time.
//!
//! Invariant: whoever was imported by then is whole, and nobody is imported twice (GN-33).

use std::{
    fs::{self, File},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::{
    evidence::Evidence,
    ground::{Ground, within},
    portals,
    service::Service,
    sink::Sink,
};

const SLUG: &str = "import";
const ROWS: usize = 600;
const ORGANIZATIONS: usize = 3;
const NPIS: [&str; ORGANIZATIONS] = ["1993999998", "1000000004", "1111111112"];

/// Lines that an import has under way at once.
const AT_ONCE: usize = 64;

/// People imported so far, and in the same view those of them who are whole: account, import,
/// membership and right are there once each, by one append, and they have their address.
const IMPORTED_AND_WHOLE: &str = "
    SELECT ARRAY[
      (SELECT count(*) FROM es.events WHERE event_type = 'users.user.user_imported'),
      (SELECT count(*) FROM (
        SELECT e.subject_id FROM es.events e
         WHERE e.event_type IN ('users.user.user_registered', 'users.user.user_imported',
                                'organizations.organization.membership_added',
                                'permissions.membership.npi_permission_set')
           AND EXISTS (SELECT FROM es.reservations r
                        WHERE r.tenant_id = e.tenant_id AND r.kind = 'email'
                          AND r.owner = e.subject_id)
         GROUP BY e.tenant_id, e.subject_id
        HAVING count(*) = 4 AND count(DISTINCT e.event_type) = 4
           AND count(DISTINCT e.command_id) = 1) w)]";

/// Has the append of the file's last line wait for whoever holds the lock.
const GATE: &str = "
    CREATE FUNCTION es.gate() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
    BEGIN
      PERFORM pg_catalog.pg_advisory_xact_lock_shared(7433);
      RETURN NEW;
    END $$;
    CREATE TRIGGER gate BEFORE INSERT ON es.events FOR EACH ROW
      WHEN (NEW.event_type = 'users.user.user_imported'
            AND NEW.payload -> 'UserImported' -> 'source' ->> 'line' = 'LAST')
      EXECUTE FUNCTION es.gate()";
const SHUT: &str = "SELECT pg_advisory_lock(7433)";
/// An append whose process was killed is not to go on when the gate is opened.
const DROP_WAITING: &str = "
    SELECT count(pg_terminate_backend(pid)) FROM pg_locks
     WHERE locktype = 'advisory' AND objid = 7433 AND NOT granted";

/// Kills the command line's process so many times, each time after some more lines.
pub fn kill_the_import(ground: &Ground, rounds: usize) {
    let sink = Sink::open();
    let service = Service::start(ground, &sink);
    portals::open_one(ground.folder(), SLUG);
    write(ground, "enrolment.csv", &enrolment());
    assert!(finish(start(ground, "enrolment")).0, "the organizations are enrolled");
    write(ground, "people.csv", &people());
    let evidence = Evidence::gather(ground);
    let counts = || <[i64; 2]>::try_from(evidence.counts(IMPORTED_AND_WHOLE)).expect("two counts");
    // However late it is killed, the last line is still to come.
    evidence.change(&GATE.replace("LAST", &(ROWS + 1).to_string()));
    let shut = evidence.hold(SHUT);
    for round in 1..=rounds {
        let done = (ROWS - 2 * AT_ONCE) * round / (rounds + 1);
        let done = i64::try_from(done).expect("a small number");
        let mut import = start(ground, "people");
        within(Duration::from_secs(120), "some lines are imported", || {
            let over = import.process.try_wait().expect("the process is ours");
            assert!(over.is_none(), "it ended before it could be killed: {over:?}");
            (counts()[0] >= done).then_some(())
        });
        import.process.kill().expect("it was running");
        import.process.wait().expect("the process is ours");
        evidence.count(DROP_WAITING);
        let [imported, whole] = counts();
        assert!(imported < ROWS as i64, "killed too late to show anything");
        assert_eq!(whole, imported, "whole people");
    }
    evidence.let_go(shut);
    let [before, _] = counts();
    let (well, said) = finish(start(ground, "people"));
    let rest = ROWS as i64 - before;
    let expected =
        format!("{ROWS} lines: {rest} imported, 0 updated, {before} unchanged, 0 refused");
    assert!(well && said.contains(&expected), "{expected}; said {said}");
    assert_eq!(counts(), [ROWS as i64; 2], "nobody twice, and whole people");
    evidence.is_in_order();
    println!("  {before} of {ROWS} lines were imported by processes that were killed");
    service.stop();
}

/// `rollcall import`, beside the service.
struct Import {
    process: Child,
    said: PathBuf,
}

fn start(ground: &Ground, what: &str) -> Import {
    let said = ground.folder().join(format!("import-{what}.log"));
    let output = File::create(&said).expect("own folder");
    let process = Command::new(env!("CARGO_BIN_EXE_rollcall"))
        .args(["import", what, &format!("{what}.csv"), "--tenant", SLUG])
        .current_dir(ground.folder())
        .env_remove("DATABASE_URL")
        .env_remove("ROLLCALL_ENV")
        .env("ROLLCALL_DATA_DIR", ground.folder())
        .stdin(Stdio::null())
        .stdout(output.try_clone().expect("own file"))
        .stderr(output)
        .spawn()
        .expect("the command starts");
    Import { process, said }
}

/// Whether it ended well, and what it said.
fn finish(mut import: Import) -> (bool, String) {
    let status = within(Duration::from_secs(120), "the import has ended", || {
        import.process.try_wait().expect("the process is ours")
    });
    (status.success(), fs::read_to_string(&import.said).expect("own file"))
}

fn write(ground: &Ground, name: &str, text: &str) {
    fs::write(ground.folder().join(name), text).expect("own folder");
}

fn enrolment() -> String {
    let header = "reference,organization,kinds,tax_id_type,tax_id,pay_to_line1,pay_to_city,\
                  pay_to_state,pay_to_zip,contact_email,npi,provider_type,community\n";
    let line = |(nth, npi): (usize, &&str)| {
        format!(
            "R-{nth},Practice {nth},PROVIDER,EIN,12-345678{nth},22 Oak Ave,Fresno,CA,93701,\
             office@org{nth}.example,{npi},GROUP,PHYSICIANS\n"
        )
    };
    NPIS.iter().enumerate().map(line).fold(header.to_owned(), |file, line| file + &line)
}

fn people() -> String {
    let header = "organization_reference,email,first_name,last_name,mobile,org_role,npis\n";
    let line = |nth: usize| {
        let organization = nth % ORGANIZATIONS;
        let (npi, number) = (NPIS[organization], 100 + nth % 100);
        format!(
            "R-{organization},person{nth}@org{organization}.example,Ada,Row,+1202555{number:04},\
             NONE,{npi}=PROCESSOR\n"
        )
    };
    (0..ROWS).map(line).fold(header.to_owned(), |file, line| file + &line)
}
