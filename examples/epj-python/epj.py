"""A small EPJ: answers and starts communication tests over the message bus. Driven by JSON lines on standard input."""

import json
import os
import queue
import sys
import threading
import time
import uuid
from datetime import datetime, timezone

from proton import Message, SSLDomain, symbol
from proton.handlers import MessagingHandler
from proton.reactor import ApplicationEvent, Container, EventInjector

import documents
import protection
import register
import revocation

CONTENT_TYPE = "application/pkcs7-mime; smime-type=signed-and-enveloped-data"
CALL_LIMIT_SECONDS = 15.0


def utc_now(form="%Y-%m-%dT%H:%M:%SZ"):
    return datetime.now(timezone.utc).strftime(form)


class Refused(Exception):
    """The message is refused with one of the error conditions of the AMQP profile."""

    def __init__(self, condition, text):
        super().__init__(text)
        self.condition = condition


class Epj(MessagingHandler):
    """One connection; the work itself is done by threads, so that a slow list never blocks the bus."""

    def __init__(self, environment, injector):
        super().__init__(prefetch=25, auto_accept=False)
        self._environment = environment
        self._own = environment["sut"]
        self._register = register.Register(environment)
        with open(environment["trust"]["bundle"], "rb") as bundle:
            self._revocation = revocation.Revocation(bundle.read())
        self._injector = injector
        self._work = queue.Queue()
        self._calls = {}
        self._finished = {}
        self._errors = []
        self._senders = {}
        for _ in range(4):
            threading.Thread(target=self._worker, daemon=True).start()

    # The bus ---------------------------------------------------------------------------------------------------------

    def on_start(self, event):
        self._container = event.container
        bus = self._environment["bus"]
        address, _, path = bus["amqps"].rpartition("/")
        self._exchange = path
        domain = SSLDomain(SSLDomain.MODE_CLIENT)
        domain.set_trusted_ca_db(self._environment["trust"]["bundle"])
        domain.set_peer_authentication(SSLDomain.VERIFY_PEER_NAME)
        self._connection = event.container.connect(
            "amqps://" + address.rpartition("@")[2], ssl_domain=domain, user=bus["username"], password=bus["password"],
            allowed_mechs="PLAIN", reconnect=[0.0, 0.5, 1.0, 2.0, 5.0],
        )
        for kind, name in self._own["queues"].items():
            event.container.create_receiver(self._connection, f"/amq/queue/{name}", name=f"{kind}-{uuid.uuid4()}")

    def on_message(self, event):
        name = event.receiver.source.address.rpartition("/")[2]
        settle = lambda: self._injector.trigger(ApplicationEvent("settle", delivery=event.delivery))
        message = event.message
        if name == self._own["queues"]["syncreply"]:
            self._work.put(lambda: self._take_reply(message, settle))
        elif name == self._own["queues"]["error"]:
            self._errors.append({
                "time": utc_now(), "text": (message.properties or {}).get("errorDescription", ""),
                "error_condition": (message.properties or {}).get("errorCondition", ""),
                "original_message_id": (message.properties or {}).get("originalMessageId", ""),
            })
            settle()
        else:
            self._work.put(lambda: self._answer(message, settle))

    def on_settle(self, event):
        self.accept(event.delivery)

    def on_transmit(self, event):
        name = event.subject.address
        if name not in self._senders:
            self._senders[name] = self._container.create_sender(self._connection, f"/exchange/{self._exchange}/{name}")
        self._senders[name].send(event.subject)

    def on_finish(self, event):
        self._connection.close()
        self._injector.close()

    def _transmit(self, message):
        self._injector.trigger(ApplicationEvent("transmit", subject=message))

    def _worker(self):
        while True:
            job = self._work.get()
            try:
                job()
            except Exception as error:  # one bad message must not end the worker
                print(f"error: {type(error).__name__}: {error}", flush=True)

    # Messages --------------------------------------------------------------------------------------------------------

    def _message(self, queue_name, to_her_id, body, **properties):
        message = Message(body=body, address=queue_name, subject=documents.FUNCTION, content_type=symbol(CONTENT_TYPE),
                          durable=True, ttl=15.0, inferred=True, **properties)
        message.properties = {
            "fromHerId": str(self._own["her_id"]), "toHerId": str(to_her_id), "applicationTimeStamp": utc_now(),
        }
        return message

    def _open(self, message):
        """Returns the facts of a message that may be believed; raises Refused."""
        sender = int(message.properties["fromHerId"])
        signer = self._register.certificate(sender, "ValidatingSignature")
        now = datetime.now(timezone.utc)
        if not signer.not_valid_before_utc <= now <= signer.not_valid_after_utc:
            raise Refused("transport:expired-certificate", "sertifikatet er utløpt / the certificate has expired")
        try:
            self._revocation.check(signer)
        except revocation.Revoked as error:
            raise Refused("transport:revoked-certificate", f"trukket tilbake / revoked: {error}") from error
        except (revocation.StatusUnknown, OSError) as error:
            raise Refused("transport:revoked-certificate-offline", f"status ukjent / status unknown: {error}") from error
        try:
            content = protection.verify(protection.decrypt(bytes(message.body), self._environment["stores"]["encryption"]),
                                        register.pem(signer))
        except protection.ProtectionError as error:
            raise Refused("transport:invalid-certificate", str(error)) from error
        try:
            facts = documents.read(content)
        except documents.Unreadable as error:
            raise Refused("transport:not-well-formed-xml", "innholdet kan ikke leses / unreadable content") from error
        if facts["sender"] != str(sender):
            raise Refused("abuse:spoofing-attack", "avsender stemmer ikke / the sender does not agree")
        if facts["receiver"] != str(self._own["her_id"]) or facts["function"] != message.subject:
            raise Refused("transport:invalid-field-value", "mottaker eller funksjon stemmer ikke / receiver or function")
        return facts

    def _answer(self, message, settle):
        try:
            facts = self._open(message)
            if not message.reply_to:
                raise Refused("transport:invalid-field-value", "reply-to mangler / is missing")
            to = self._environment["helsenorge"]
            _, document = documents.write(documents.ANSWER, self._own, to, parent=facts["msg_id"])
            body = protection.protect(document, self._environment["stores"]["signing"],
                                      register.pem(self._register.certificate(to["her_id"], "Encryption")))
            self._transmit(self._message(message.reply_to, to["her_id"], body, id=str(uuid.uuid4()),
                                         correlation_id=message.correlation_id or message.id))
        except Refused as refused:
            self._report(message, refused)
        settle()

    def _report(self, message, refused):
        sender = message.properties["fromHerId"]
        report = self._message(f"{sender}_error", sender, b"", id=uuid.uuid4().hex)
        report.subject = message.subject
        report.ttl = 0
        report.properties.update({
            "originalMessageId": str(message.id), "receiverTimeStamp": utc_now("%m/%d/%Y %H:%M:%S"),
            "errorCondition": refused.condition, "errorDescription": str(refused),
        })
        self._transmit(report)

    def _take_reply(self, message, settle):
        waiting = self._calls.get(message.correlation_id)
        if waiting is None:
            print(f"late reply {message.correlation_id} thrown away", flush=True)
        else:
            try:
                waiting.put(("success", self._open(message)["msg_id"]))
            except Refused as refused:
                waiting.put(("error", str(refused)))
        settle()

    # Verbs -----------------------------------------------------------------------------------------------------------

    def ask(self, question):
        """Carries one verb out and returns the answer's fields."""
        if question["verb"] == "run-komtest":
            return self._run_komtest()
        if question["verb"] == "status":
            return {"state": self._finished.get(question.get("msg_id"), "unknown")}
        if question["verb"] == "show-errors":
            return {"errors": self._errors}
        return {"outcome": "refused", "text": f"unknown verb {question['verb']}"}

    def _run_komtest(self):
        started = time.monotonic()
        to = self._environment["helsenorge"]
        recipient = self._register.certificate(to["her_id"], "Encryption")
        try:
            self._revocation.check(recipient)
        except (revocation.Revoked, revocation.StatusUnknown, OSError) as error:
            return {"outcome": "refused", "text": f"{type(error).__name__}: {error}"}
        msg_id, document = documents.write(documents.QUESTION, self._own, to)
        body = protection.protect(document, self._environment["stores"]["signing"], register.pem(recipient))
        message_id = str(uuid.uuid4())
        reply = self._calls[message_id] = queue.Queue()
        self._transmit(self._message(f"{to['her_id']}_sync", to["her_id"], body, id=message_id, correlation_id=message_id,
                                     reply_to=self._own["queues"]["syncreply"]))
        try:
            outcome, text = reply.get(timeout=CALL_LIMIT_SECONDS)
        except queue.Empty:
            outcome, text = "timeout", "intet svar innen 15 s / no reply within 15 s"
        del self._calls[message_id]
        self._finished[msg_id] = {"success": "processed", "timeout": "overdue"}.get(outcome, "rejected")
        return {"outcome": outcome, "text": text, "msg_id": msg_id, "message_id": message_id,
                "duration_ms": int((time.monotonic() - started) * 1000)}


def read_verbs(epj, injector):
    """Reads questions until standard input ends, each answered by a thread of its own."""
    output = threading.Lock()

    def answer(question):
        try:
            fields = epj.ask(question)
        except Exception as error:
            fields = {"outcome": "error", "text": f"{type(error).__name__}: {error}"}
        with output:
            print(json.dumps({"call": question["call"], **fields}), flush=True)

    for line in sys.stdin:
        threading.Thread(target=answer, args=(json.loads(line),), daemon=True).start()
    injector.trigger(ApplicationEvent("finish"))


def main():
    with open(os.environ["PROVENETT_ENVIRONMENT"], encoding="utf-8") as file:
        environment = json.load(file)
    injector = EventInjector()
    epj = Epj(environment, injector)
    container = Container(epj)
    container.selectable(injector)
    threading.Thread(target=read_verbs, args=(epj, injector), daemon=True).start()
    container.run()


if __name__ == "__main__":
    main()
