"""Looks at the built site in a browser, as wide as a desk's and as wide as a telephone's:

* every link within the site leads to a page, and to a place on it that exists;
* nothing is asked of another host, and nothing that is asked for is missing;
* no page is wider than the window, and no text is cut off where nobody can scroll to it.

    docs/build.sh look               over every page; SHOTS=DIR keeps a picture of each
"""

import os
import shutil
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

ROOT = Path(__file__).resolve().parent.parent.parent
SITE = ROOT / "target" / "site"
WIDTHS = {"phone": 390, "desk": 1280}
# References that other programs make have hundreds of pages of few forms: so many are looked at.
OF_EACH_REFERENCE = 6

# Returns what is wrong with the page: its width, and texts that are cut off.
CUT_OFF = """
const found = [];
const root = document.documentElement;
if (root.scrollWidth > root.clientWidth)
  found.push(`the page is ${root.scrollWidth} wide, the window ${root.clientWidth}`);
const hides = value => value === 'hidden' || value === 'clip';
for (const element of document.querySelectorAll('body *')) {
  const style = getComputedStyle(element);
  const box = element.getBoundingClientRect();
  if (style.visibility === 'hidden' || !box.width || !box.height || !element.innerText) continue;
  // A menu that is not open is beside the window, and of an icon the text is for those who hear it.
  if (box.right <= 0 || box.left >= innerWidth || style.textIndent !== '0px') continue;
  if (hides(style.overflowX) && element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 1)
    found.push(`cut off: ${element.tagName} ${element.className}: ${element.innerText.slice(0, 60)}`);
}
return found;
"""
LINKS = "return [...document.querySelectorAll('[href], [src]')].map(e => e.getAttribute('href') || e.getAttribute('src'))"
IDS = "return [...document.querySelectorAll('[id], a[name]')].map(e => e.id || e.name)"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        pass


def serve() -> tuple[ThreadingHTTPServer, str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(SITE)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_address[1]}/"


def browser() -> webdriver.Chrome:
    driver, chromium = shutil.which("chromedriver"), shutil.which("chromium")
    if not driver or not chromium:
        sys.exit("failed: no chromium with chromedriver on the path; tests/install.sh installs them")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=options, service=Service(driver))


def widen(window: webdriver.Chrome, width: int) -> None:
    window.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600},
    )


def pages() -> list[Path]:
    """Returns the pages that are looked at, those of our own first."""
    found = sorted(page.relative_to(SITE) for page in SITE.rglob("*.html"))
    made = [page for page in found if page.parts[:2] in (("reference", "c-api"), ("reference", "rust-api"))]
    looked_at = [page for page in found if page not in made]
    for name in ("c-api/group__", "c-api/classmodelkeep", "rust-api/modelkeep/struct."):
        alike = [page for page in made if str(page).startswith(f"reference/{name}")]
        if not alike:
            sys.exit(f"failed: no page of {name}")
        looked_at += alike[:OF_EACH_REFERENCE]
    return looked_at


def requested(window: webdriver.Chrome) -> list[str]:
    return list(window.execute_script("return performance.getEntries().map(e => e.name).filter(n => /^http/.test(n))"))


class Look:
    """What was found, page by page."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.faults: list[str] = []
        self.ids: dict[str, set[str]] = {}
        self.links: set[tuple[str, str]] = set()

    def at(self, window: webdriver.Chrome, page: Path) -> None:
        for name, width in WIDTHS.items():
            widen(window, width)
            window.get(self.address + str(page))
            self.faults += [f"{page}, {name}: {fault}" for fault in window.execute_script(CUT_OFF)]
            self.keep(window, page, name)
        foreign = [asked for asked in requested(window) if not asked.startswith(self.address)]
        self.faults += [f"{page}: asks {asked}" for asked in foreign]
        for entry in window.get_log("browser"):
            # A browser asks for it where a page has no icon.
            if entry["level"] == "SEVERE" and "/favicon.ico " not in entry["message"]:
                self.faults.append(f"{page}: {entry['message']}")
        self.ids[str(page)] = set(window.execute_script(IDS))
        for link in window.execute_script(LINKS):
            self.links.add((str(page), link))

    def keep(self, window: webdriver.Chrome, page: Path, name: str) -> None:
        if shots := os.environ.get("SHOTS"):
            Path(shots).mkdir(parents=True, exist_ok=True)
            window.save_screenshot(f"{shots}/{str(page).replace('/', '-')}-{name}.png")

    def broken_links(self) -> list[str]:
        broken = []
        for page, link in sorted(self.links):
            target, place = urldefrag(urljoin(self.address + page, link))
            if not target.startswith(self.address):
                continue
            file = unquote(target.removeprefix(self.address)).split("?")[0] or "index.html"
            if not (SITE / file).exists():
                broken.append(f"{page}: {link} leads nowhere")
            elif place and file in self.ids and not {place, unquote(place)} & self.ids[file]:
                broken.append(f"{page}: {link} leads to no place on its page")
        return broken


def sees_faults(window: webdriver.Chrome, address: str) -> list[str]:
    """Returns which planted faults are not seen: a test of the test."""
    long = "x" * 400
    planted = {
        "a page that is too wide": f"<pre style='overflow:visible'>{long}</pre>",
        "a text that is cut off": f"<div style='overflow:hidden;width:50px;white-space:nowrap'>{long}</div>",
    }
    unseen = []
    for what, body in planted.items():
        widen(window, WIDTHS["phone"])
        window.get(address + "index.html")
        window.execute_script("document.body.innerHTML = arguments[0]", body)
        if not window.execute_script(CUT_OFF):
            unseen.append(f"this test does not see {what}")
    return unseen


def main() -> None:
    server, address = serve()
    window = browser()
    look = Look(address)
    try:
        listed = pages()
        for page in listed:
            look.at(window, page)
        faults = look.faults + look.broken_links() + sees_faults(window, address)
    finally:
        window.quit()
        server.shutdown()
    print(*faults, sep="\n", end="\n" if faults else "")
    print(f"site: {len(listed) * len(WIDTHS)} passed, {len(faults)} failed")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
