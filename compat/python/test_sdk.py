"""The official Python SDK, unchanged, against a running Patchbay and emulated services."""

import logging
import os
import secrets
import unittest
import warnings

from browser import consent
from composio import SESSION_PRESET_DIRECT_TOOLS, Composio

META_TOOLS = {
    "COMPOSIO_SEARCH_TOOLS",
    "COMPOSIO_GET_TOOL_SCHEMAS",
    "COMPOSIO_MANAGE_CONNECTIONS",
    "COMPOSIO_MULTI_EXECUTE_TOOL",
}

os.environ.setdefault("TELEMETRY_DISABLED", "true")
logging.disable(logging.INFO)
warnings.simplefilter("ignore", ResourceWarning)  # the SDK keeps its connections open


def client(**options):
    return Composio(
        api_key=os.environ["PATCHBAY_API_KEY"],
        base_url=os.environ["PATCHBAY_URL"],
        allow_tracking=False,
        **options,
    )


def new_user(name="user"):
    return f"{name}-{secrets.token_hex(4)}"


def names(tools):
    return {tool["function"]["name"] for tool in tools}


def connect(session, toolkit, person):
    request = session.authorize(toolkit)
    page = consent(request.redirect_url, person)
    assert page["status"] < 400, page["html"][:400]
    account = request.wait_for_connection(timeout=10)
    assert account.status == "ACTIVE", account
    return account


class Sessions(unittest.TestCase):
    def setUp(self):
        self.composio = client()

    def test_create_gives_a_url_on_the_api_origin(self):
        session = self.composio.create(user_id=new_user(), mcp=True)
        self.assertRegex(session.session_id, r"^trs_[A-Za-z0-9_-]{12}$")
        self.assertEqual(session.mcp.url, f"{os.environ['PATCHBAY_URL']}/tool_router/{session.session_id}/mcp")
        self.assertIn("x-api-key", session.mcp.headers)

    def test_default_session_shows_the_meta_tools(self):
        session = self.composio.create(user_id=new_user())
        self.assertEqual(names(session.tools()), META_TOOLS)

    def test_direct_tools_shows_exactly_the_enabled_tools(self):
        session = self.composio.create(
            user_id=new_user(),
            toolkits=["gmail"],
            tools={"gmail": {"enable": ["GMAIL_FETCH_EMAILS", "GMAIL_SEND_EMAIL"]}},
            session_preset=SESSION_PRESET_DIRECT_TOOLS,
        )
        self.assertEqual(names(session.tools()), {"GMAIL_FETCH_EMAILS", "GMAIL_SEND_EMAIL"})

    def test_create_with_every_option(self):
        config = self.composio.auth_configs.create("github", {"type": "use_composio_managed_auth", "name": "py"})
        session = self.composio.create(
            user_id=new_user(),
            toolkits={"enable": ["github", "hackernews"]},
            tools={"github": ["GITHUB_CREATE_AN_ISSUE", "GITHUB_GET_A_REPOSITORY"]},
            tags={"disable": ["destructiveHint"]},
            auth_configs={"github": config.id},
            manage_connections={"enable": True, "callback_url": "https://app.example/done"},
            preload={"tools": ["GITHUB_GET_A_REPOSITORY"]},
        )
        self.assertIn("GITHUB_GET_A_REPOSITORY", names(session.tools()))

    def test_use_update_history_delete(self):
        session = self.composio.create(user_id=new_user(), toolkits=["github"])
        again = self.composio.use(session.session_id)
        self.assertEqual(again.session_id, session.session_id)
        session.update(toolkits=["hackernews"])
        self.assertEqual([item.slug for item in session.toolkits().items], ["hackernews"])
        history = session.list_config_history()
        self.assertGreaterEqual(len(history.items), 2)
        self.assertTrue(session.delete()["deleted"])
        with self.assertRaises(Exception):
            self.composio.use(session.session_id)

    def test_search(self):
        session = self.composio.create(user_id=new_user())
        found = session.search(query="send an email with gmail")
        self.assertTrue(found.success)
        self.assertIn("GMAIL_SEND_EMAIL", found.results[0].primary_tool_slugs)


class Services(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.composio = client()
        cls.user = new_user("maker")
        cls.session = cls.composio.create(user_id=cls.user)
        for toolkit in ("github", "gmail"):
            connect(cls.session, toolkit, "alice")

    def test_execute(self):
        result = self.session.execute(
            "GITHUB_CREATE_ISSUE",
            arguments={"owner": "alice", "repo": "hello-world", "title": "From Python"},
        )
        self.assertIsNone(result.error)
        self.assertEqual(result.data["title"], "From Python")

    def test_send_and_fetch_mail(self):
        subject = f"Привет {secrets.token_hex(3)}"
        sent = self.session.execute(
            "GMAIL_SEND_EMAIL",
            arguments={"recipient_email": "bob@example.com", "subject": subject, "body": "Hi"},
        )
        self.assertIsNone(sent.error)
        fetched = self.session.execute("GMAIL_FETCH_EMAILS", arguments={"query": "in:sent", "max_results": 10})
        self.assertIn(subject, [message["subject"] for message in fetched.data["messages"]])

    def test_direct_execution_picks_the_users_account(self):
        result = self.composio.tools.execute(
            "GITHUB_GET_THE_AUTHENTICATED_USER",
            arguments={},
            user_id=self.user,
            dangerously_skip_version_check=True,
        )
        self.assertTrue(result["successful"], result)
        self.assertEqual(result["data"]["login"], "alice")

    def test_proxy(self):
        answer = self.session.proxy_execute(toolkit="github", endpoint="/user", method="GET")
        self.assertEqual(answer["data"]["login"], "alice")

    def test_accounts(self):
        accounts = self.composio.connected_accounts.list(user_ids=[self.user])
        self.assertEqual({a.toolkit.slug for a in accounts.items}, {"github", "gmail"})
        self.assertTrue(all(a.status == "ACTIVE" for a in accounts.items))


class Catalog(unittest.TestCase):
    def setUp(self):
        self.composio = client()

    def test_toolkits(self):
        slugs = {item.slug for item in self.composio.toolkits.get()}
        self.assertLessEqual({"github", "gmail", "googlecalendar", "slack", "notion", "linear", "stripe", "hackernews"}, slugs)
        self.assertEqual(self.composio.toolkits.get("github").slug, "github")

    def test_every_tool_becomes_a_framework_tool(self):
        for item in self.composio.toolkits.get():
            tools = self.composio.tools.get(new_user(), toolkits=[item.slug], limit=1000)
            self.assertGreater(len(tools), 0, item.slug)

    def test_auth_config_fields(self):
        fields = self.composio.toolkits.get_auth_config_creation_fields("github", "OAUTH2", required_only=True)
        self.assertTrue(fields)

    def test_toolkits_authorize(self):
        request = self.composio.toolkits.authorize(user_id=new_user(), toolkit="github")
        consent(request.redirect_url, "bob")
        self.assertEqual(request.wait_for_connection(timeout=10).status, "ACTIVE")


if __name__ == "__main__":
    unittest.main()
