"""Tests of page_test.py: one order, whatever happens to its requests, and what the page asks for by
itself. Checkout is a stand-in."""

import threading

from page_bed import DESKTOP, PATIENCE_SECONDS, PageTest, wait_until

ORDER = "0123456789abcdef0123456789abcdef"

# The timer of the next look is the test's, and so is what the clock says.
CLOCK = """
window.nextLook = null;
const timer = setTimeout, clear = clearTimeout, now = performance.now.bind(performance);
let ahead = 0;
window.setTimeout = (act, ms) => ms === 10000 ? (window.nextLook = act, -1) : timer(act, ms);
window.clearTimeout = id => id === -1 ? window.nextLook = null : clear(id);
window.look = () => { const act = window.nextLook; window.nextLook = null; act(); };
window.later = ms => { ahead += ms; };
performance.now = () => now() + ahead;
window.asked = 0;
const ask = fetch;
window.fetch = (...request) => { ++window.asked; return ask(...request); };
"""


def order_answer(status, **members):
    return {"id": ORDER, "status": status, "customer": "guest", "currency": "GBP",
            "lines": [{"productId": "3", "quantity": 1, "unitPriceMinor": 4550}],
            "totalMinor": 4550, **members}


def problem(status, kind, detail="", **headers):
    return status, {"type": kind, "status": status, "detail": detail}, headers


class AttemptTest(PageTest):
    """One order, whatever happens to its requests: checkout is a stand-in."""

    def url(self):
        return self.stand_in.url

    def setUp(self):
        super().setUp()
        self.stand_in.lists.append((200, {"orders": [], "next": None}))
        self.add("3")

    def hurry(self):
        self.driver.execute_script("dispatchEvent(new Event('online'))")

    def hurry_until(self, condition, what):
        def looked():
            self.hurry()
            return condition()
        wait_until(looked, what)

    def test_each_state_is_told(self):
        gate = threading.Event()
        self.addCleanup(gate.set)

        def held(_):
            gate.wait(PATIENCE_SECONDS)
            gate.clear()
            return 200, order_answer("COMPLETED")

        self.stand_in.posts.append((202, order_answer("NEW", totalMinor=None)))
        self.stand_in.gets.extend([(200, order_answer("RESERVED")),
                                   (200, order_answer("AUTHORISED")), held])
        self.click("#order")
        self.wait_text("#progress-text", "The credit covers it.")
        self.assertEqual(self.text("[aria-current=step]"), "Credit checked")
        self.assertFalse(self.find("#order").is_enabled())
        self.look("progress")
        gate.set()
        self.wait_text("#message-title", "Thank you")
        (key, prefer, body), = self.stand_in.asked
        self.assertRegex(key, "^[0-9a-f]{32}$")
        self.assertEqual(prefer, "respond-async")
        self.assertEqual(body, {"customer": "guest", "lines": [{"productId": "3", "quantity": 1}],
                                "expectedTotalMinor": 4550})

    def test_a_lost_answer_is_asked_for_with_the_same_key(self):
        self.stand_in.posts.extend([None, problem(503, "order-open", "", **{"retry-after": "1"}),
                                    problem(409, "order-in-flight"),
                                    (201, order_answer("COMPLETED"))])
        self.click("#order")
        self.hurry_until(lambda: self.text("#message-title").startswith("Thank you"), "the end")
        self.assertEqual(len(self.stand_in.asked), 4)
        self.assertEqual(len(self.stand_in.keys()), 1)
        self.assertEqual(self.text("#count"), "0")

    def test_a_reload_goes_on_and_buys_once(self):
        self.stand_in.posts.append(problem(429, "queue-full", "", **{"retry-after": "20"}))
        self.click("#order")
        self.wait_text("#progress-text", "The shop is busy. Trying again in 20 seconds")
        self.look("busy")
        self.stand_in.posts[0] = (201, order_answer("COMPLETED"))
        self.driver.refresh()
        self.wait_text("#message-title", "Thank you")
        self.assertEqual(len(self.stand_in.asked), 2)
        self.assertEqual(len(self.stand_in.keys()), 1)
        self.driver.refresh()
        wait_until(lambda: self.shown("#empty"), "an empty basket")
        self.assertEqual(len(self.stand_in.asked), 2)

    def begun(self, hours, **members):
        """An order that was begun in this browser so long ago, and not ended."""
        lines = [{"productId": "3", "quantity": 1}]
        self.driver.execute_script(
            "localStorage.setItem('subito.attempt', JSON.stringify({...arguments[0], "
            "time: Math.round(Date.now() - arguments[1] * 3600e3)}))",
            {"key": "k" * 32, "customer": "ada", "lines": lines, "order": None, **members}, hours)
        self.driver.refresh()

    def test_what_was_begun_a_while_ago_waits_for_a_click(self):
        self.stand_in.posts.append((201, order_answer("COMPLETED")))
        self.begun(hours=1)
        self.wait_text("#message-title", "An order of yours is not finished")
        self.assertFalse(self.find("#order").is_enabled())
        self.look("unfinished")
        self.assertEqual(self.stand_in.asked, [])
        self.action("Ask again")
        self.wait_text("#message-title", "Thank you")
        self.assertEqual(self.stand_in.keys(), {"k" * 32})

    def test_a_key_that_is_too_old_orders_no_more(self):
        self.stand_in.posts.append((201, order_answer("COMPLETED")))
        for hours in (23.01, 2000, -1):
            self.begun(hours=hours)
            self.wait_text("#message-title", "An order of yours was never answered")
        self.look("too-old")
        self.action("Show my orders")
        self.assertEqual(self.focus(), "history-title")
        self.assertEqual(self.text("#history-customer"), "ada")
        self.assertEqual(self.text("#count"), "1", "the basket is kept")
        self.assertEqual(self.stand_in.asked, [])
        # How an order went can be asked at any age.
        self.stand_in.gets.extend([(200, order_answer("COMPLETED")), problem(404, "unknown-order")])
        self.begun(hours=23.01, order=ORDER)
        self.wait_text("#message-title", "Thank you")
        self.begun(hours=23.01, order=ORDER)
        self.hurry_until(lambda: "never answered" in self.text("#message-title"), "no order")
        self.assertEqual(self.stand_in.asked, [])

    def test_a_key_that_went_to_another_order_is_followed(self):
        self.stand_in.posts.extend([(202, order_answer("NEW")), (201, order_answer("COMPLETED"))])
        self.stand_in.gets.append((200, order_answer("CANCELLED", reason="unavailable")))
        self.click("#order")
        self.hurry_until(lambda: self.text("#message-title").startswith("Thank you"), "the end")
        self.assertEqual([prefer for _, prefer, _ in self.stand_in.asked], ["respond-async"] * 2)
        self.assertEqual(len(self.stand_in.keys()), 1)

    def test_what_is_shown_is_looked_at_again_while_somebody_is_there(self):
        run = self.driver.execute_script
        added = self.browser.cdp("Page.addScriptToEvaluateOnNewDocument", source=CLOCK)["value"]
        self.addCleanup(self.browser.cdp, "Page.removeScriptToEvaluateOnNewDocument", **added)
        self.driver.refresh()
        wait_until(lambda: run("return nextLook !== null"), "the next look")
        self.stand_in.looks.clear()
        looks = self.stand_in.looks

        def look_until(count):
            run("look()")
            wait_until(lambda: len(looks) == count and run("return nextLook !== null"), looks)

        self.price("3", 4600)
        self.addCleanup(self.price, "3", 4550)
        look_until(1)
        self.wait_text("#said", "Anvil costs £46.00 now")
        self.assertEqual(self.text("#order"), "Order for £46.00")
        # Nothing is new, but for a price that another tab, which is behind, wrote into the basket.
        run("localStorage['subito.basket'] = localStorage['subito.basket'].replace('4600', '4550')")
        look_until(2)
        self.assertEqual(self.text("#order"), "Order for £46.00")
        self.assertIn("in stock", self.text("#product-3 .stock"))
        self.assertEqual([status for _, status in looks], [200, 304])
        self.assertEqual(looks[0][0], None)
        self.assertRegex(looks[1][0], '^"[0-9a-f]{16}"$')
        asked = run("return asked")
        self.assertEqual(run("later(120001); look(); return asked"), asked, "nobody is there")
        self.assertIsNone(run("return nextLook"))
        self.driver.switch_to.active_element.send_keys("\ue008")  # shift
        wait_until(lambda: len(looks) == 3 and run("return nextLook !== null"), "he is back")
        for state in ("hidden", "visible"):
            run("Object.defineProperty(document, 'visibilityState', "
                "{configurable: true, value: arguments[0]});"
                "document.dispatchEvent(new Event('visibilitychange'))", state)
            self.assertEqual(run("return nextLook !== null"), state == "visible")
            if state == "hidden":
                self.driver.switch_to.active_element.send_keys("\ue008")
                self.assertIsNone(run("return nextLook"))
        wait_until(lambda: len(looks) == 4, "who looks again sees what is there")
        self.assertEqual([status for _, status in looks], [200, 304, 304, 304])

    def test_what_is_withdrawn_leaves_the_basket(self):
        self.stand_in.posts.append(problem(409, "withdrawn"))
        self.click("#order")
        self.wait_text("#message-title", "Something is not sold any more")
        self.action("Remove Anvil")
        self.assertEqual(self.text("#count"), "0")
        self.assertEqual(self.focus(), "basket-title")
        # Where nothing tells which it is, people do.
        self.restock("1", 1)
        self.driver.refresh()
        self.add("3")
        self.add("1")
        self.click("#order")
        self.wait_text("#message-actions", "Remove AnvilRemove Widget")
        self.action("Remove Widget")
        self.assertEqual(self.text("#total"), "£45.50")
        self.assertEqual(self.focus(), "order")

    def test_a_refusal_ends_the_key(self):
        self.stand_in.posts.extend([(202, order_answer("NEW")), (201, order_answer("COMPLETED"))])
        self.stand_in.gets.append(
            (200, order_answer("CANCELLED", reason="reservation-expired")))
        self.click("#order")
        self.wait_text("#message-title", "It took too long")
        self.action("Order again")
        self.wait_text("#message-title", "Thank you")
        self.assertEqual(len(self.stand_in.keys()), 2)

    def test_a_problem_without_words_of_ours_shows_its_own(self):
        self.stand_in.posts.append(problem(422, "moon-phase", "<b>not today</b>"))
        self.click("#order")
        self.wait_text("#message-text", "The shop says: <b>not today</b>.")

    def test_an_order_that_is_unknown_is_asked_for_by_its_key(self):
        self.stand_in.posts.extend([(202, order_answer("NEW")), (201, order_answer("COMPLETED"))])
        self.stand_in.gets.append(problem(404, "unknown-order"))
        self.click("#order")
        self.hurry_until(lambda: self.text("#message-title").startswith("Thank you"), "the end")
        self.assertEqual(len(self.stand_in.keys()), 1)

    def test_an_order_that_rests_is_pushed(self):
        self.stand_in.posts.extend([(202, order_answer("NEW")), (201, order_answer("COMPLETED"))])
        self.stand_in.gets.append((200, order_answer("NEW")))
        self.click("#order")
        self.hurry_until(lambda: self.text("#message-title").startswith("Thank you"), "the end")
        self.assertEqual([prefer for _, prefer, _ in self.stand_in.asked],
                         ["respond-async", "wait=10"])
        self.assertEqual(len(self.stand_in.keys()), 1)

    def test_after_many_tries_people_are_asked(self):
        self.stand_in.posts.append(None)
        self.click("#order")
        self.hurry_until(lambda: self.shown("#message"), "the question")
        self.assertIn("has not answered yet", self.text("#message-title"))
        self.look("stuck")
        self.stand_in.posts[0] = (201, order_answer("COMPLETED"))
        self.action("Ask again")
        self.wait_text("#message-title", "Thank you")
        self.assertEqual(len(self.stand_in.keys()), 1)

    def test_two_tabs_are_one_basket_and_one_order(self):
        first = self.driver.current_window_handle
        self.stand_in.posts.append(problem(503, "away", "", **{"retry-after": "20"}))
        self.driver.switch_to.new_window("tab")
        self.addCleanup(self.driver.switch_to.window, first)
        self.addCleanup(self.driver.close)
        self.browser.size(DESKTOP)
        self.open("/")
        self.add("3")
        self.driver.switch_to.window(first)
        self.wait_text("#count", "2")
        self.click("#order")
        self.wait_text("#progress-text", "A part of the shop does not answer.")
        second = [h for h in self.driver.window_handles if h != first][0]
        self.driver.switch_to.window(second)
        wait_until(lambda: not self.find("#order").is_enabled(), "the other tab waits")
        self.driver.switch_to.window(first)
        self.stand_in.posts[0] = (201, order_answer("COMPLETED"))
        self.hurry_until(lambda: self.text("#message-title").startswith("Thank you"), "the end")
        self.driver.switch_to.window(second)
        self.wait_text("#count", "0")
        self.assertEqual(len(self.stand_in.keys()), 1)

    def test_older_orders_come_page_by_page(self):
        self.stand_in.lists.clear()

        def listed(path):
            if "cursor=" in path:
                return 200, {"orders": [order_answer("CANCELLED", reason="payment-declined")],
                             "next": None}
            return 200, {"orders": [order_answer("COMPLETED")] * 5, "next": "c&1"}

        self.stand_in.lists.append(listed)
        self.driver.refresh()
        self.wait_shown("#history-more")
        self.look("history")
        self.click("#history-more")
        self.wait_text("#orders", "payment declined")
        self.assertEqual(len(self.driver.find_elements("css selector", ".past")), 6)
        self.assertFalse(self.shown("#history-more"))
