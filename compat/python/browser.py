"""A browser small enough to read: cookies, redirects, forms. The Python twin of bed/browser.mjs."""

import http.cookiejar
import re
import urllib.error
import urllib.parse
import urllib.request
from html import unescape


class Browser:
    """One person's browser."""

    def __init__(self):
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(jar)

    def get(self, url):
        return self._open(urllib.request.Request(url))

    def submit(self, page, form, **values):
        fields = urllib.parse.urlencode({**form["fields"], **values}).encode()
        target = urllib.parse.urljoin(page["url"], form["action"] or page["url"])
        origin = "{0.scheme}://{0.netloc}".format(urllib.parse.urlparse(target))
        return self._open(urllib.request.Request(target, data=fields, headers={"Origin": origin}))

    def _open(self, request):
        try:
            reply = self._opener.open(request, timeout=20)
        except urllib.error.HTTPError as error:
            reply = error
        html = reply.read().decode()
        return {"url": reply.geturl(), "status": reply.status, "html": html, "forms": _forms(html)}


def consent(link_url, person):
    """Opens a Connect Link and consents at the provider as the named person."""
    browser = Browser()
    link = browser.get(link_url)
    provider = browser.submit(link, link["forms"][0])
    form = next(f for f in provider["forms"] if person in f["text"].lower())
    return browser.submit(provider, form)


def _forms(html):
    found = []
    for attributes, inner in re.findall(r"<form\b([^>]*)>(.*?)</form>", html, re.S | re.I):
        inputs = re.findall(r"<input\b([^>]*)>", inner, re.I)
        fields = {_attribute(i, "name"): _attribute(i, "value") for i in inputs if _attribute(i, "name")}
        found.append({"action": _attribute(attributes, "action"), "fields": fields, "text": inner})
    return found


def _attribute(text, name):
    match = re.search(rf'\b{name}="([^"]*)"', text, re.I)
    return unescape(match.group(1)) if match else ""
