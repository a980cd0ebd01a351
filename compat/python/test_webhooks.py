"""What Patchbay delivers is what the official Python SDK verifies."""

import http.server
import queue
import threading
import unittest

from composio import exceptions
from test_sdk import client, connect, new_user

TRIGGER = "GITHUB_ISSUE_ADDED_EVENT"
REPOSITORY = {"owner": "alice", "repo": "hello-world"}


class Sink(http.server.ThreadingHTTPServer):
    """A webhook's receiver."""

    def __init__(self):
        self.deliveries = queue.Queue()
        super().__init__(("127.0.0.1", 0), Receiver)
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server_address[1]}/hook"


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        payload = self.rfile.read(int(self.headers["content-length"])).decode()
        self.send_response(204)
        self.end_headers()
        self.server.deliveries.put((self.headers, payload))

    def log_message(self, *_):
        pass


class Webhooks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.composio = client()
        cls.user = new_user("subscriber")
        connect(cls.composio.create(user_id=cls.user, toolkits=["github"]), "github", "alice")
        cls.trigger = cls.composio.triggers.create(TRIGGER, user_id=cls.user, trigger_config=REPOSITORY).trigger_id
        cls.sink = Sink()

    @classmethod
    def tearDownClass(cls):
        cls.composio.triggers.delete(cls.trigger)
        for subscription in cls.composio.client.webhook_subscriptions.list().items:
            cls.composio.client.webhook_subscriptions.delete(subscription.id)
        cls.sink.shutdown()
        cls.sink.server_close()

    def deliver(self, title):
        result = self.composio.tools.execute(
            "GITHUB_CREATE_AN_ISSUE",
            arguments={**REPOSITORY, "title": title},
            user_id=self.user,
            dangerously_skip_version_check=True,
        )
        self.assertTrue(result["successful"], result)
        return self.sink.deliveries.get(timeout=15)

    def verify(self, headers, payload, secret):
        return self.composio.triggers.verify_webhook(
            id=headers["webhook-id"],
            payload=payload,
            secret=secret,
            signature=headers["webhook-signature"],
            timestamp=headers["webhook-timestamp"],
        )

    def test_every_version_verifies(self):
        for version in ("V1", "V2", "V3"):
            with self.subTest(version):
                secret = self.subscribe(version)
                headers, payload = self.deliver(f"python {version}")
                result = self.verify(headers, payload, secret)
                self.assertEqual(getattr(result["version"], "value", result["version"]), version)
                self.assertEqual(result["payload"]["trigger_slug"], TRIGGER)
                self.assertEqual(result["payload"]["id"], self.trigger)
                self.assertEqual(result["payload"]["payload"]["title"], f"python {version}")

    def test_forgeries_do_not(self):
        secret = self.subscribe("V3")
        headers, payload = self.deliver("forged")
        for name, forged, key in (
            ("another secret", payload, secret + "x"),
            ("another payload", payload.replace("forged", "farged"), secret),
        ):
            with self.subTest(name), self.assertRaises(exceptions.WebhookSignatureVerificationError):
                self.verify(headers, forged, key)

    def subscribe(self, version):
        subscription = self.composio.triggers.set_webhook_subscription(webhook_url=self.sink.url, version=version)
        return subscription["secret"] if isinstance(subscription, dict) else subscription.secret


if __name__ == "__main__":
    unittest.main()
