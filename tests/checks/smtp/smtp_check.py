"""Drives a service of its own against an SMTP server and looks at what arrives.

Usage: smtp_check.py PATH_TO_ROLLCALL
"""

import email
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request
from email import policy

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

USER, PASSWORD = b"portal", b"between-machines"
OPERATOR = "olga.petrov@plan.example"
PATIENCE = 120


def certificates(folder, host):
    """An authority and a certificate of it for `host`; answers (authority, certificate, key)."""

    def path(name):
        return os.path.join(folder, name)

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)

    new_key = ["-newkey", "rsa:2048", "-nodes"]
    openssl("req", "-x509", *new_key, "-days", "2", "-subj", "/CN=Check Authority",
            "-keyout", path("ca.key"), "-out", path("ca.pem"))
    openssl("req", *new_key, "-subj", f"/CN={host}",
            "-keyout", path("server.key"), "-out", path("server.csr"))
    with open(path("server.ext"), "w", encoding="utf-8") as extensions:
        extensions.write(f"subjectAltName=DNS:{host}\nbasicConstraints=CA:FALSE\n")
    openssl("x509", "-req", "-in", path("server.csr"), "-CA", path("ca.pem"),
            "-CAkey", path("ca.key"), "-CAcreateserial", "-days", "2",
            "-extfile", path("server.ext"), "-out", path("server.pem"))
    return path("ca.pem"), path("server.pem"), path("server.key")


class Inbox:
    """Refuses each message once for the time being, then takes it."""

    def __init__(self):
        self.attempts = []
        self.taken = []

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=policy.default)
        message_id = message["Message-ID"]
        first = all(message_id != known for known, _ in self.attempts)
        self.attempts.append((message_id, session.ssl is not None and session.authenticated))
        if first:
            return "451 4.3.0 Not now"
        self.taken.append((envelope.rcpt_tos, message))
        return "250 2.0.0 OK"


def authenticate(server, session, envelope, mechanism, data):
    right = (data.login, data.password) == (USER, PASSWORD)
    return AuthResult(success=right, handled=True)


def mail_server(inbox, certificate, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    controller = Controller(
        inbox, hostname="127.0.0.1", port=free_port(), authenticator=authenticate,
        auth_required=True, require_starttls=True, tls_context=context)
    controller.start()
    return controller


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Service:
    """A `rollcall --dev` of its own, whose mail goes to the server."""

    def __init__(self, binary, folder, smtp_port, authority):
        self.url = f"http://127.0.0.1:{free_port()}"
        self.log = os.path.join(folder, "log")
        environment = {
            **os.environ,
            "ROLLCALL_LISTEN": self.url.removeprefix("http://"),
            "ROLLCALL_DATA_DIR": os.path.join(folder, "rollcall"),
            "ROLLCALL_SMTP_URL":
                f"smtp://{USER.decode()}:{PASSWORD.decode()}@localhost:{smtp_port}?tls=required",
            "ROLLCALL_MAIL_FROM": "Portal <portal@plan.example>",
            "SSL_CERT_FILE": authority,
        }
        environment.pop("DATABASE_URL", None)
        environment.pop("ROLLCALL_URL", None)
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [binary, "--dev"], env=environment, stdout=log, stderr=subprocess.STDOUT)

    def output(self):
        with open(self.log, encoding="utf-8") as log:
            return log.read()

    def post(self, path, body, headers=()):
        request = urllib.request.Request(
            self.url + path, json.dumps(body).encode(),
            {"content-type": "application/json", **dict(headers)})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)


def until(what, condition):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.2)
    raise SystemExit(f"waited in vain for {what}")


def register_operator(service):
    """Causes mail: the first operator's password is set."""
    token = until("the first operator's link", lambda: re.search(
        r"/first-operator/([\w-]+)", service.output())).group(1)
    document = """mutation($input: RegisterFirstOperatorInput!) {
      registerFirstOperator(input: $input) { userErrors { code message } } }"""
    person = {
        "token": token, "email": OPERATOR, "firstName": "Olga", "lastName": "Petrov",
        "mobile": "+12025550123", "password": "Correct-Horse-Battery-7!",
    }
    answer = service.post(
        "/graphql", {"query": document, "variables": {"input": person}},
        {"rollcall-tenant": "operations"})
    payload = (answer.get("data") or {}).get("registerFirstOperator") or {}
    if payload.get("userErrors") != []:
        raise SystemExit(f"the operator was not registered: {answer}")


def main(binary):
    folder = tempfile.mkdtemp(prefix="rollcall-smtp-")
    os.chmod(folder, 0o755)
    inbox = Inbox()
    service = server = None
    try:
        authority, certificate, key = certificates(folder, "localhost")
        server = mail_server(inbox, certificate, key)
        service = Service(binary, folder, server.port, authority)
        register_operator(service)
        until("the first attempt", lambda: inbox.attempts)
        assert not inbox.taken, "taken although it was refused"
        service.post("/dev/clock", {"advance": "PT31S"})
        recipients, message = until("the second attempt", lambda: inbox.taken)[0]
        (first, _), (second, _) = inbox.attempts[:2]
        assert first == second == message["Message-ID"], inbox.attempts
        assert all(secured for _, secured in inbox.attempts), "without TLS or authentication"
        assert recipients == [OPERATOR], recipients
        assert message["From"] == "Portal <portal@plan.example>", message["From"]
        assert message["Subject"] == "Your password was changed", message["Subject"]
        time.sleep(1)
        assert len(inbox.attempts) == 2, f"sent again: {inbox.attempts}"
        print("smtp: delivered over STARTTLS after one refusal, under one Message-ID")
    except BaseException:
        if service:
            print(service.output()[-4000:], file=sys.stderr)
        raise
    finally:
        if service:
            service.stop()
        if server:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1])
