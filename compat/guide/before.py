"""The migration guide's own "Before" program, Python. Only the address and the ids are this server's."""

import json
import os

from composio import Composio

composio = Composio(api_key=os.environ["COMPOSIO_API_KEY"])

server = composio.mcp.create(
    name="my-gmail-server",
    toolkits=[{"toolkit": "gmail", "auth_config": os.environ["AUTH_CONFIG_ID"]}],
    allowed_tools=["GMAIL_FETCH_EMAILS", "GMAIL_SEND_EMAIL"],
)
instance = composio.mcp.generate(user_id=os.environ["GUIDE_USER"], mcp_config_id=server.id)
mcp_url = instance["url"]

print(json.dumps({"id": server.id, "mcpUrl": mcp_url}))
