"""The migration guide's own "After" program, Python. Only the address and the ids are this server's."""

import json
import os

from composio import SESSION_PRESET_DIRECT_TOOLS, Composio

composio = Composio(api_key=os.environ["COMPOSIO_API_KEY"])
auth_configs = {"gmail": os.environ["AUTH_CONFIG_ID"]}

session = composio.create(
    user_id=os.environ["GUIDE_USER"],
    toolkits=["gmail"],
    auth_configs=auth_configs,
    tools={"gmail": {"enable": ["GMAIL_FETCH_EMAILS", "GMAIL_SEND_EMAIL"]}},
)
mcp_url = session.mcp.url

direct = composio.create(
    user_id=os.environ["GUIDE_USER"],
    toolkits=["gmail"],
    auth_configs=auth_configs,
    tools={"gmail": {"enable": ["GMAIL_FETCH_EMAILS", "GMAIL_SEND_EMAIL"]}},
    session_preset=SESSION_PRESET_DIRECT_TOOLS,
)
tools = direct.tools()
dynamic = session.tools()

print(
    json.dumps(
        {
            "mcpUrl": mcp_url,
            "directUrl": direct.mcp.url,
            "direct": [tool["function"]["name"] for tool in tools],
            "dynamic": [tool["function"]["name"] for tool in dynamic],
        }
    )
)
