"""The official Python SDK, unchanged, against a running Patchbay and emulated services."""

import logging
import os
import secrets
import unittest
import warnings

from browser import consent
from composio import SESSION_PRESET_DIRECT_TOOLS, Composio, exceptions

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


class Accounts(unittest.TestCase):
    def setUp(self):
        self.composio = client()
        self.accounts = self.composio.connected_accounts

    def managed(self):
        return self.composio.auth_configs.create("github", {"type": "use_composio_managed_auth", "name": "py"})

    def test_link_wait_list_update_switch_delete(self):
        user = new_user()
        request = self.accounts.link(user, self.managed().id)
        consent(request.redirect_url, "bob")
        account = request.wait_for_connection(timeout=10)
        self.assertEqual(account.status, "ACTIVE")
        self.accounts.update(account.id, alias="work")
        self.assertEqual([a.alias for a in self.accounts.list(user_ids=[user], statuses=["ACTIVE"]).items], ["work"])
        self.accounts.disable(account.id)
        self.assertEqual(self.accounts.get(account.id).status, "INACTIVE")
        self.accounts.enable(account.id)
        self.assertEqual(self.accounts.refresh(account.id).status, "ACTIVE")
        self.accounts.delete(account.id)
        with self.assertRaisesRegex(Exception, "404"):
            self.accounts.get(account.id)

    def test_initiate_and_replace_a_key(self):
        config = self.composio.auth_configs.create(
            "stripe", {"type": "use_custom_auth", "name": "k", "auth_scheme": "API_KEY", "credentials": {}}
        )
        state = {"auth_scheme": "API_KEY", "val": {"status": "ACTIVE", "api_key": "sk_test_py1", "generic_api_key": "sk_test_py1"}}
        request = self.accounts.initiate(new_user(), config.id, config=state)
        account = self.accounts.get(request.id)
        self.assertEqual(account.status, "ACTIVE")
        self.assertNotIn("sk_test_py1", str(account))
        with self.assertRaises(exceptions.ComposioConnectedAccountRevocationNotSupportedError):
            self.accounts.revoke(account.id)

    def test_revoke(self):
        account = connect(self.composio.create(user_id=new_user()), "github", "alice")
        result = self.accounts.revoke(account.id)
        self.assertEqual(result.connected_account.status, "REVOKED")
        self.assertEqual(self.accounts.revoke(account.id).revoked_tokens, [])
        pending = self.accounts.link(new_user(), self.managed().id)
        with self.assertRaises(exceptions.ComposioConnectedAccountNotRevokableError):
            self.accounts.revoke(pending.id)

    def test_acl_belongs_to_shared_accounts(self):
        account = connect(self.composio.create(user_id=new_user()), "github", "alice")
        with self.assertRaises(exceptions.ComposioAclOnlyForSharedError):
            self.accounts.update_acl(account.id, allow_all_users=True)
        owner, friend = new_user("owner"), new_user("friend")
        request = self.accounts.link(owner, self.managed().id, experimental={"account_type": "SHARED"})
        consent(request.redirect_url, "alice")
        request.wait_for_connection(timeout=10)
        with self.assertRaisesRegex(Exception, "400"):
            self.composio.create(user_id=friend, toolkits=["github"], connected_accounts={"github": request.id})
        self.accounts.update_acl(request.id, allowed_user_ids=[friend])
        session = self.composio.create(user_id=friend, toolkits=["github"], connected_accounts={"github": request.id})
        self.assertEqual(session.execute("GITHUB_GET_THE_AUTHENTICATED_USER", arguments={}).data["login"], "alice")

    def test_complete_auth_of_nothing(self):
        with self.assertRaisesRegex(Exception, "404"):
            self.accounts.complete_auth(user_id=new_user(), session_uri="urn:patchbay:connection:nothing")

    def test_a_second_account_has_to_be_allowed(self):
        user, config = new_user(), self.managed()
        consent(self.accounts.link(user, config.id).redirect_url, "alice")
        with self.assertRaises(exceptions.ComposioMultipleConnectedAccountsError):
            self.accounts.link(user, config.id)
        self.assertTrue(self.accounts.link(user, config.id, allow_multiple=True).redirect_url)


class Triggers(unittest.TestCase):
    def test_life_of_a_trigger(self):
        composio, user = client(), new_user("watcher")
        connect(composio.create(user_id=user, toolkits=["github"]), "github", "alice")
        kind = composio.triggers.get_type("GITHUB_ISSUE_ADDED_EVENT")
        self.assertEqual(kind.toolkit.slug, "github")
        self.assertIn("GMAIL_NEW_GMAIL_MESSAGE", composio.triggers.list_enum())
        self.assertTrue(composio.triggers.list(toolkit_slugs=["linear"]).items)
        config = {"owner": "alice", "repo": "hello-world"}
        made = composio.triggers.create(slug="GITHUB_ISSUE_ADDED_EVENT", user_id=user, trigger_config=config)
        again = composio.triggers.create(slug="GITHUB_ISSUE_ADDED_EVENT", user_id=user, trigger_config=config)
        self.assertEqual(made.trigger_id, again.trigger_id)
        active = composio.triggers.list_active(trigger_ids=[made.trigger_id])
        self.assertEqual([item.trigger_name for item in active.items], ["GITHUB_ISSUE_ADDED_EVENT"])
        self.assertEqual(active.items[0].trigger_config, config)
        composio.triggers.disable(trigger_id=made.trigger_id)
        self.assertEqual(composio.triggers.list_active(trigger_ids=[made.trigger_id]).items, [])
        composio.triggers.enable(trigger_id=made.trigger_id)
        self.assertEqual(len(composio.triggers.list_active(trigger_ids=[made.trigger_id]).items), 1)
        composio.triggers.delete(trigger_id=made.trigger_id)
        self.assertEqual(composio.triggers.list_active(trigger_ids=[made.trigger_id], show_disabled=True).items, [])


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
