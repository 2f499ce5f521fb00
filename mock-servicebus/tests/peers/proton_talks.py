"""Talks to the bus through Qpid Proton and prints one JSON object: what happened."""
import json
import sys

from proton import ConnectionException, Delivery, Message, SSLDomain, Timeout, symbol
from proton.reactor import AtLeastOnce, AtMostOnce, Container
from proton.handlers import MessagingHandler
from proton.utils import BlockingConnection, LinkDetached

url, trust, queue, dead = sys.argv[1:5]
address = "/amq/queue/" + queue


def domain():
    tls = SSLDomain(SSLDomain.MODE_CLIENT)
    tls.set_trusted_ca_db(trust)
    tls.set_peer_authentication(SSLDomain.VERIFY_PEER_NAME)
    return tls


def connect(**options):
    return BlockingConnection(url, timeout=15, ssl_domain=domain(), allowed_mechs="PLAIN", **options)


def one_name():
    """Sender and receiver whose links have one name, which Proton makes of container and address."""
    connection = connect(heartbeat=2)
    sender = connection.create_sender(address, name="the-link")
    receiver = connection.create_receiver(address, name="the-link", credit=5)
    sender.send(Message(body="hello", subject="S", properties={"fromHerId": "109989"}))
    message = receiver.receive(timeout=10)
    receiver.accept()
    connection.close()
    return [message.body, message.subject, message.properties["fromHerId"], message.annotations[symbol("x-routing-key")]]


def outcomes():
    connection = connect()
    sender = connection.create_sender(address, name="out")
    receiver = connection.create_receiver(address, name="in", credit=1)
    seen = []
    sender.send(Message(body="again"))
    for settle in [receiver.release, receiver.release, receiver.reject]:
        message = receiver.receive(timeout=10)
        seen.append([message.delivery_count, message.first_acquirer])
        if settle is receiver.release:
            settle(delivered=False)
        else:
            settle()
    graves = connection.create_receiver("/amq/queue/" + dead, name="graves", credit=1)
    message = graves.receive(timeout=10)
    graves.accept()
    annotations = {str(key): value for key, value in message.annotations.items()}
    deaths = annotations["x-opt-deaths"]
    death = {str(key): str(value) for key, value in list(deaths)[0].items()}
    connection.close()
    return [seen, message.delivery_count, annotations["x-first-death-reason"], len(list(deaths)), death["queue"], death["reason"]]


class Drain(MessagingHandler):
    """Asks with drain for ten messages where three are."""

    def __init__(self, result):
        super().__init__(prefetch=0, auto_accept=False)
        self.result = result

    def on_start(self, event):
        self.connection = event.container.connect(url, ssl_domain=domain(), allowed_mechs="PLAIN", reconnect=False)
        self.sender = event.container.create_sender(self.connection, address)
        self.sent = 0

    def on_sendable(self, event):
        while self.sent < 3 and event.sender.credit:
            event.sender.send(Message(body=self.sent))
            self.sent += 1

    def on_settled(self, event):
        if event.link == self.sender and self.sent == 3:
            self.sent += 1
            self.receiver = event.container.create_receiver(self.connection, address)
            self.receiver.drain(10)

    def on_message(self, event):
        self.result.append(event.message.body)
        self.accept(event.delivery)

    def on_link_flow(self, event):
        if event.receiver and event.receiver.drain_mode and event.receiver.credit == 0:
            self.result.append("drained")
            self.connection.close()

    def on_transport_error(self, event):
        self.result.append(str(event.transport.condition))


def drain():
    result = []
    Container(Drain(result)).run()
    return result


def large():
    connection = connect()
    sender = connection.create_sender(address, name="big")
    receiver = connection.create_receiver(address, name="big", credit=1)
    body = bytes(range(256)) * 4000
    sender.send(Message(body=body))
    message = receiver.receive(timeout=20)
    receiver.accept()
    connection.close()
    return bytes(message.body) == body


def wrong_password():
    user, host = url.rsplit("@", 1)
    try:
        BlockingConnection(user + "x@" + host, timeout=15, ssl_domain=domain(), allowed_mechs="PLAIN")
    except ConnectionException as error:
        return str(error)


def unknown_queue():
    connection = connect()
    try:
        connection.create_receiver("/amq/queue/nosuch", name="r")
    except (LinkDetached, Timeout, ConnectionException) as error:
        return type(error).__name__


print(json.dumps({step.__name__: step() for step in [one_name, outcomes, drain, large, wrong_password]}))
