"""What page_test.py stands on: a node with the built shop, a browser that is driven, axe-core, a
stand-in for checkout that answers what a test wants, and what a test of the page can do.

Nothing of it stays, also if the test is killed: the browser lives in a process namespace of its own
that ends with us, the node gets SIGTERM when we end, and the folder is removed by one who waits for
the node's end."""

import base64
import collections
import contextlib
import http.client
import http.server
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
PATIENCE_SECONDS = 30
DESKTOP, PHONE = (1280, 900), (320, 640)  # CSS pixels
SERIOUS = {"serious", "critical"}
CHROMIUM = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--no-proxy-server", "--hide-scrollbars"]


def why_not_here():
    """Why the page cannot be tested here, or None."""
    if os.geteuid() != 0:
        return "a node needs root"
    for program, package in (("redis-server", "redis-server"), ("chromium", "chromium"),
                             ("chromedriver", "chromium-driver"), ("unshare", "util-linux"),
                             ("flock", "util-linux")):
        if shutil.which(program) is None:
            return f"{program} is not installed (package {package}; ./dev setup --tests)"
    try:
        import selenium  # noqa: F401
    except ImportError:
        return "selenium is not installed (package python3-selenium; ./dev setup --tests)"
    return None


def axe_source():
    """The text of axe-core, or None where ./dev setup --tests did not get it."""
    setup = (ROOT / ".ci/lib/setup.sh").read_text(encoding="utf-8")
    version = re.search(r"AXE_VERSION=(\S+)", setup).group(1)
    file = ROOT / f".cache/axe-core-{version}/axe.min.js"
    return file.read_text(encoding="utf-8") if file.is_file() else None


def wait_until(condition, what):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"it does not come: {what() if callable(what) else what}")
        time.sleep(0.02)
    return found


class Folder:
    """A folder in /tmp, removed when we end, however that is, and the node in it has ended."""

    def __init__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="subito-page-"))
        self.janitor = subprocess.Popen(
            ["sh", "-c", 'cat >/dev/null; test ! -e "$1/data/lock" || '
             'flock -w 30 "$1/data/lock" true; rm -rf "$1"', "sh", self.path],
            stdin=subprocess.PIPE, start_new_session=True)

    def remove(self):
        self.janitor.stdin.close()
        self.janitor.wait(PATIENCE_SECONDS + 5)


class Node:
    """`subito up` of a build, with the build's shop."""

    def __init__(self, build, folder):
        self.build, self.data = build, folder / "data"
        self.log = folder / "node.log"
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", build / "bin/subito", "up", "--data", self.data,
                 "--listen", "127.0.0.1:0"], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True)
        try:
            said = wait_until(lambda: re.search(r"ready at (\S+),", self.said()), self.said)
            self.url = said.group(1)
            self.do("deploy", "-f", build / "shop")
            assert self.ask("/seed", "POST")[0] == 200, "seed the shop"
        except BaseException:
            self.stop()
            raise

    def said(self):
        return self.log.read_text(encoding="utf-8")

    def do(self, *arguments):
        done = subprocess.run([self.build / "bin/subito", *arguments, "--socket",
                               self.data / "api.sock"], timeout=60, text=True, check=False,
                              stdin=subprocess.DEVNULL, capture_output=True)
        if done.returncode != 0:
            raise AssertionError(f"{arguments} ended with {done.returncode}:\n{done.stderr}")
        return done.stdout

    def ask(self, path, method="GET", body=None, headers=()):
        """(status, what came, of JSON if it is)."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, dict(headers), method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=PATIENCE_SECONDS) as answer:
                status, text = answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read().decode()
        with contextlib.suppress(ValueError):
            return status, json.loads(text)
        return status, text

    def stop(self):
        self.process.terminate()
        try:
            return self.process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise


class StandIn:
    """The node's gateway, but for what checkout answers: that comes from `posts` and `gets`, one
    answer a request: (status, body, {header: value}), a function of the request's body that makes
    one, or None, which cuts the connection. The last one stays. What is empty goes to the node."""

    def __init__(self, node):
        self.node = node
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.clear()
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def clear(self):
        self.posts, self.gets, self.lists = (collections.deque() for _ in range(3))
        self.asked = []  # (Idempotency-Key, Prefer, body) of each POST /orders

    def keys(self):
        return {key for key, *_ in self.asked}

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def answers_to(self, method, path):
        if path.startswith("/customers/"):
            return self.lists
        if path.startswith("/orders"):
            return self.posts if method == "POST" else self.gets
        return ()

    def handler(self):
        bed = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                if self.command == "POST" and self.path == "/orders":
                    bed.asked.append((self.headers["idempotency-key"], self.headers["prefer"],
                                      json.loads(body)))
                answers = bed.answers_to(self.command, self.path)
                if not answers:
                    return self.forward(body)
                answer = answers.popleft() if len(answers) > 1 else answers[0]
                if callable(answer):
                    answer = answer(json.loads(body) if body else self.path)
                if answer is None:
                    self.close_connection = True
                    return None
                status, told, *headers = answer
                return self.send(status, {"content-type": "application/json",
                                          **(headers[0] if headers else {})},
                                 json.dumps(told).encode())

            do_POST = do_GET

            def forward(self, body):
                with contextlib.closing(http.client.HTTPConnection(
                        bed.node.url.removeprefix("http://"), timeout=PATIENCE_SECONDS)) as to:
                    to.request(self.command, self.path, body or None, dict(self.headers))
                    answer = to.getresponse()
                    kept = {name: value for name, value in answer.getheaders()
                            if name.lower() not in ("content-length", "connection")}
                    return self.send(answer.status, kept, answer.read())

            def send(self, status, headers, body):
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    self.send_response(status)
                    for name, value in headers.items():
                        self.send_header(name, value)
                    self.send_header("content-length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

        return Handler


class Browser:
    """Headless Chromium by chromedriver; `driver` is Selenium's."""

    def __init__(self, folder, pictures):
        from selenium import webdriver
        self.pictures, self.axe = pictures, axe_source()
        home = folder / "browser"
        home.mkdir()
        environment = {**os.environ, "HOME": str(home), "TMPDIR": str(home), "no_proxy": "*"}
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "unshare", "--pid", "--fork", "--kill-child=KILL",
             "--mount-proc", "chromedriver", "--port=0"], env=environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            port = self.port()
            options = webdriver.ChromeOptions()
            for flag in [*CHROMIUM, f"--user-data-dir={home}/profile"]:
                options.add_argument(flag)
            options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
            os.environ["no_proxy"] = "*"  # Selenium's own connection
            self.driver = webdriver.Remote(f"http://127.0.0.1:{port}", options=options)
            self.driver.command_executor._commands["executeCdpCommand"] = (
                "POST", "/session/$sessionId/goog/cdp/execute")
        except BaseException:
            self.process.kill()
            raise

    def port(self):
        for line in self.process.stdout:
            if found := re.search(r"started successfully on port (\d+)", line):
                threading.Thread(target=self.process.stdout.read, daemon=True).start()
                return int(found.group(1))
        raise AssertionError("chromedriver ended")

    def close(self):
        with contextlib.suppress(Exception):
            self.driver.quit()
        self.process.kill()
        self.process.wait()

    def cdp(self, command, **arguments):
        # Not execute_cdp_cmd(): webdriver.Remote has none.
        return self.driver.execute("executeCdpCommand", {"cmd": command, "params": arguments})

    def size(self, size, mobile=False):
        self.cdp("Emulation.setDeviceMetricsOverride", width=size[0], height=size[1],
                 deviceScaleFactor=1, mobile=mobile)

    def scheme(self, name):
        # No animation: a picture is of what will stay.
        self.cdp("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": name},
            {"name": "prefers-reduced-motion", "value": "reduce"}])

    def picture(self, name):
        # As tall as the page, so that what is fixed to the window covers nothing.
        self.driver.execute_script("scrollTo(0, 0)")
        width, height = self.driver.execute_script(
            "return [innerWidth, document.documentElement.scrollHeight]")
        self.size((width, height), mobile=width == PHONE[0])
        shot = self.cdp("Page.captureScreenshot", captureBeyondViewport=True)["value"]["data"]
        (self.pictures / f"{name}.png").write_bytes(base64.b64decode(shot))

    def faults(self):
        """What axe-core finds serious, a line each; None without it."""
        if self.axe is None:
            return None
        self.driver.execute_script(self.axe)
        found = self.driver.execute_async_script(
            "axe.run(document, {resultTypes: ['violations']}).then(arguments[0])")
        return [f"{fault['impact']}: {fault['help']}: {node['html'][:120]} {node['failureSummary']}"
                for fault in found["violations"] if fault["impact"] in SERIOUS
                for node in fault["nodes"]]

    def width_over(self):
        """By how many pixels the page is wider than the window."""
        return self.driver.execute_script(
            "return document.documentElement.scrollWidth - window.innerWidth")


class PageTest(unittest.TestCase):
    """What a test of the page can do; each begins with an empty basket."""

    node = stand_in = browser = None

    def setUp(self):
        self.driver = self.browser.driver
        self.stand_in.clear()
        self.browser.size(DESKTOP)
        self.browser.scheme("light")
        for url in (self.node.url, self.stand_in.url):
            self.driver.get(url + "/assets/icon.svg")
            self.driver.execute_script("localStorage.clear()")
        self.driver.get_log("browser")  # what was said before
        self.open("/")

    def open(self, path, url=None):
        self.driver.get((url or self.url()) + path)

    def url(self):
        return self.node.url

    def find(self, selector):
        return self.driver.find_element("css selector", selector)

    def text(self, selector):
        return self.driver.execute_script(
            "return document.querySelector(arguments[0])?.textContent ?? ''", selector)

    def wait_text(self, selector, text):
        wait_until(lambda: text in self.text(selector),
                   lambda: f"'{text}' in {selector}, which says '{self.text(selector)}'; the page: "
                           f"{self.text('#message')} {self.text('#progress-text')} "
                           f"{self.driver.get_log('browser')}")

    def wait_shown(self, selector):
        wait_until(lambda: self.shown(selector), f"{selector} is shown")

    def shown(self, selector):
        return self.find(selector).is_displayed()

    def click(self, selector):
        # As a finger does, wherever the page is scrolled to.
        element = self.find(selector)
        self.driver.execute_script(
            "arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", element)
        element.click()

    def action(self, words):
        """Clicks the button of the message that says so."""
        for button in self.driver.find_elements("css selector", "#message-actions button"):
            if button.text == words:
                return button.click()
        raise AssertionError(f"no button '{words}' but {self.text('#message-actions')}")

    def add(self, product):
        before = int(self.text("#count"))
        self.click(f"#product-{product} .add")
        wait_until(lambda: int(self.text("#count")) == before + 1, "a piece more in the basket")

    def focus(self):
        return self.driver.execute_script("return document.activeElement.id")

    def look(self, name):
        """The state as it is now: no serious fault for anybody, and pictures."""
        for size, scheme in ((DESKTOP, "light"), (DESKTOP, "dark"), (PHONE, "light"),
                             (PHONE, "dark")):
            kind = f"{name}-{'phone' if size == PHONE else 'desktop'}-{scheme}"
            self.browser.size(size, mobile=size == PHONE)
            self.browser.scheme(scheme)
            self.browser.picture(kind)
            self.browser.size(size, mobile=size == PHONE)
            with self.subTest(kind):
                self.assertEqual(self.browser.width_over(), 0, "the page scrolls sideways")
                self.assertEqual(self.browser.faults() or [], [])
        self.browser.size(DESKTOP)
        self.browser.scheme("light")

    def level(self, product):
        return json.loads(self.node.do("invoke", "stock", f"/stocks/{product}"))["amountAvailable"]

    def restock(self, product, wanted):
        if (lacks := wanted - self.level(product)) > 0:
            self.node.do("invoke", "stock", f"/stocks/{product}/restock", "-X", "POST",
                         "-d", json.dumps({"quantity": lacks}),
                         "-H", f"idempotency-key: restock-{time.monotonic_ns()}")

    def price(self, product, minor):
        """The product costs so much from now on."""
        said = self.node.do("invoke", "catalogue", f"/products/{product}")
        product_is = {**json.loads(said), "priceMinor": minor}
        self.node.do("invoke", "catalogue", f"/products/{product}", "-X", "PUT",
                     "-d", json.dumps(product_is), "-H", "if-match: *")

    def buy_elsewhere(self, product, quantity, key):
        lines = [{"productId": product, "quantity": quantity}]
        status, _ = self.node.ask("/orders", "POST", {"lines": lines}, {"idempotency-key": key})
        self.assertEqual(status, 201)
