#!/usr/bin/python3
"""The shop's page in a real browser, on a real node.

  .ci/page_test.py BUILD [TEST...]   BUILD: a folder with a finished build, build/dev

Drives headless Chromium as people do: buy, sold out, declined, by keyboard, on a phone, without
script, with parts of the shop away. Each state is looked at by axe-core (no serious finding), for
being no wider than a phone of 320 pixels, and in a picture, light and dark, in BUILD/page_test.
Ends with 77 where it cannot run."""

import pathlib
import shutil
import sys
import threading
import unittest

sys.dont_write_bytecode = True  # the source folder stays clean
import page_bed  # noqa: E402
from page_bed import DESKTOP, PATIENCE_SECONDS, PageTest, wait_until  # noqa: E402

SKIPPED = 77
ORDER = "0123456789abcdef0123456789abcdef"


def order_answer(status, **members):
    return {"id": ORDER, "status": status, "customer": "guest", "currency": "GBP",
            "lines": [{"productId": "3", "quantity": 1, "unitPriceMinor": 4550}],
            "totalMinor": 4550, **members}


def problem(status, kind, detail="", **headers):
    return status, {"type": kind, "status": status, "detail": detail}, headers


class ShopTest(PageTest):
    """Against the real shop."""

    def test_keeps_the_original_face(self):
        status, page = self.node.ask("/")
        self.assertEqual(status, 200)
        self.assertIn("Subito Shop", page)
        status, products = self.node.ask("/products")
        self.assertEqual((status, len(products)), (200, 5))
        self.assertEqual([p["id"] for p in products], ["1", "2", "3", "4", "5"])
        self.assertEqual(products[0]["sku"], "12345678")
        self.assertEqual(set(products[0]),
                         {"id", "sku", "name", "description", "price", "amountAvailable"})
        self.assertEqual(products[0]["amountAvailable"], self.level("1"))
        self.assertEqual(self.node.ask("/health")[0], 200)

    def test_shows_the_products_and_complains_of_nothing(self):
        self.assertEqual(len(self.driver.find_elements("css selector", ".card")), 5)
        self.assertEqual(self.text("#product-3 .price"), "£45.50")
        wait_until(lambda: self.text("#history-text") or self.text("#orders"), "the orders")
        self.look("empty")
        said = [line["message"] for line in self.driver.get_log("browser")]
        self.assertEqual(said, [], "the browser complains")

    def test_buys_one_and_shows_what_is_left(self):
        before = self.level("3")
        self.add("3")
        self.look("basket")
        self.click("#order")
        self.wait_text("#message-title", "Thank you")
        self.assertEqual(self.focus(), "message")
        self.assertEqual(self.level("3"), before - 1)
        self.wait_text("#product-3 .stock", f"{before - 1} in stock")
        self.assertEqual(self.text("#count"), "0")
        self.wait_text("#orders", "£45.50")
        self.look("bought")
        self.driver.refresh()
        self.wait_text("#orders", "£45.50")
        self.assertEqual(self.level("3"), before - 1)

    def test_what_is_sold_out_cannot_be_added(self):
        self.assertEqual(self.text("#product-4 .stock"), "Sold out")
        self.assertFalse(self.find("#product-4 .add").is_enabled())

    def test_somebody_was_quicker(self):
        self.restock("5", 1)
        self.driver.refresh()
        self.add("5")
        self.add("3")
        self.buy_elsewhere("5", self.level("5"), f"quicker-{self.level('3')}")
        self.click("#order")
        self.wait_text("#message-title", "Not enough is left")
        self.assertEqual(self.focus(), "message")
        self.assertEqual(self.text("[data-id='5'] .line-trouble"), "Sold out: remove it.")
        self.assertEqual(self.text("#product-5 .stock"), "Sold out")
        self.look("sold-out")
        self.action("Take what is left")
        self.assertEqual(self.text("#count"), "1")
        self.click("#order")
        self.wait_text("#message-title", "Thank you")

    def test_a_declined_payment_can_be_paid_by_another(self):
        before = self.level("3")
        self.add("3")
        self.click("#customers input[value=bob]")
        self.click("#order")
        self.wait_text("#message-title", "The payment was declined")
        self.assertEqual(self.level("3"), before, "the pieces went back")
        self.assertEqual(self.text("#count"), "1", "the basket is kept")
        self.look("declined")
        self.action("Let guest pay")
        self.assertEqual(self.focus(), "order")
        self.click("#order")
        self.wait_text("#message-title", "Thank you")
        self.assertEqual(self.level("3"), before - 1)

    def test_nothing_is_bought_at_another_price_than_the_button_says(self):
        before = self.level("3")
        self.add("3")
        self.price("3", 9999900)
        self.addCleanup(self.price, "3", 4550)
        self.assertEqual(self.text("#order"), "Order for £45.50")
        self.click("#order")
        self.wait_text("#message-title", "The price has changed")
        self.wait_text("#message-text", "You were asked for £45.50")
        self.assertEqual(self.focus(), "message")
        self.assertEqual(self.text("#order"), "Order for £99999.00")
        self.assertEqual(self.level("3"), before, "nothing was sold")
        self.look("price-changed")
        self.action("Back to the basket")
        self.price("3", 4600)
        self.click("#order")
        self.wait_text("#message-text", "You were asked for £99999.00")
        self.action("Order for £46.00")
        self.wait_text("#message-title", "Thank you")
        self.wait_text("#message-text", "1 piece for £46.00")
        self.assertEqual(self.level("3"), before - 1)

    def test_the_basket_stays_and_is_changed(self):
        self.restock("1", 1)
        self.driver.refresh()
        self.add("3")
        self.add("3")
        self.add("1")
        self.driver.refresh()
        self.wait_text("#count", "3")
        self.assertEqual(self.text("#total"), "£92.20")
        self.click("[data-id='3'] .more-of")
        self.assertEqual(self.text("#total"), "£137.70")
        self.click("[data-id='1'] .less")
        self.assertEqual(self.text("#total"), "£136.50")
        self.assertEqual(self.text("#said"), "Widget removed")
        quantity = self.find("[data-id='3'] input")
        quantity.clear()
        quantity.send_keys("5000\n")
        self.wait_text("#total", "£45454.50")  # 999 pieces
        self.assertEqual(self.text("#progress-text"), "", "Enter there is no order")
        self.assertEqual(self.text("[data-id='3'] .line-trouble")[:5], "Only ")
        self.click("[data-id='3'] .remove")
        self.assertEqual(self.focus(), "basket-title")
        self.wait_shown("#empty")

    def test_what_stands_in_the_storage_is_not_believed(self):
        for stored in ("{", "7", '[{"id":"<b>","name":"a","price":1,"quantity":1}]',
                       '[{"id":"1","name":"a","price":-1,"quantity":1}]', "[null]"):
            self.driver.execute_script("localStorage.setItem('subito.basket', arguments[0])",
                                       stored)
            self.driver.refresh()
            wait_until(lambda: self.shown("#basket"), "the script runs")
            self.assertEqual(self.text("#count"), "0", stored)

    def test_by_keyboard_alone(self):
        self.driver.execute_script("document.activeElement.blur()")
        self.tab_to("a.skip")
        self.key("\ue007")
        self.tab_to("#product-3 .add")
        self.key(" ")
        self.wait_text("#said", "Anvil is in your basket")
        self.tab_to("#lines .more-of")
        self.key(" ")
        self.wait_text("#total", "£91.00")
        self.tab_to("#customers input")
        self.key("\ue015")  # down
        self.wait_text("#history-customer", "ada")
        self.key("\ue013")  # up
        self.tab_to("#order")
        self.key("\ue007")
        self.wait_text("#message-title", "Thank you")
        self.tab_to("#message-actions button")
        self.key("\ue007")
        self.assertEqual(self.focus(), "products")

    def key(self, key):
        self.driver.switch_to.active_element.send_keys(key)

    def tab_to(self, selector):
        for _ in range(60):
            self.key("\ue004")
            if self.driver.execute_script(
                    "return document.activeElement.matches(arguments[0])", selector):
                return
        raise AssertionError(f"no key leads to {selector}")

    def test_without_script_it_can_be_read(self):
        self.browser.cdp("Emulation.setScriptExecutionDisabled", value=True)
        self.addCleanup(self.browser.cdp, "Emulation.setScriptExecutionDisabled", value=False)
        self.driver.refresh()
        self.assertTrue(self.shown("#product-3 .stock"))
        self.assertTrue(self.shown("noscript .notice"))
        self.assertFalse(self.shown("#basket"))
        self.assertFalse(self.shown("#product-3 .add"))
        self.browser.picture("without-script")

    def test_search_and_sort_work_by_address(self):
        self.find("#q").send_keys("ANVIL\n")
        self.wait_text(".told", "“ANVIL”")
        cards = self.driver.find_elements("css selector", ".card h2")
        self.assertEqual([card.text for card in cards], ["Anvil"])
        self.look("search")
        self.open("/?sort=-price")
        cards = self.driver.find_elements("css selector", ".card h2")
        self.assertEqual([card.text for card in cards][:2], ["Multitool", "Anvil"])
        self.open("/?q=nothing-of-that-name")
        self.wait_text(".told", "Nothing found")


class AwayTest(PageTest):
    """The real shop, parts of it deleted."""

    def away(self, function):
        self.node.do("delete", function)
        self.addCleanup(self.node.do, "deploy", "-f", self.node.build / "shop")

    def test_without_stock_it_is_degraded_and_sells_nothing_that_is_not_there(self):
        self.add("3")
        self.away("stock")
        self.driver.refresh()
        self.wait_shown("#degraded")
        self.assertEqual(self.text("#product-3 .stock"), "Stock not known right now")
        self.assertTrue(self.find("#product-4 .add").is_enabled())
        self.look("degraded")
        self.click("#order")
        self.wait_text("#progress-text", "A part of the shop does not answer.")
        self.doCleanups()
        self.wait_text("#message-title", "Thank you")
        wait_until(lambda: not self.shown("#degraded"), "it is well again")

    def test_without_the_catalogue_it_says_so(self):
        self.away("catalogue")
        self.driver.refresh()
        self.wait_text(".notice[role=alert]", "The products cannot be shown right now.")
        self.assertEqual(self.node.ask("/")[0], 503)
        self.look("catalogue-away")
        self.doCleanups()
        self.find(".notice[role=alert] a").click()
        wait_until(lambda: self.driver.find_elements("css selector", ".card"), "products")


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


def main():
    if reason := page_bed.why_not_here():
        print(f"SKIPPED: {reason}")
        return SKIPPED
    build = pathlib.Path(sys.argv.pop(1)).resolve()
    pictures = build / "page_test"
    shutil.rmtree(pictures, ignore_errors=True)
    pictures.mkdir()
    if page_bed.axe_source() is None:
        print("SKIPPED: a part: axe-core is not there (./dev setup --tests)")
    folder = page_bed.Folder()
    try:
        PageTest.node = page_bed.Node(build, folder.path)
        PageTest.stand_in = page_bed.StandIn(PageTest.node)
        PageTest.browser = page_bed.Browser(folder.path, pictures)
        result = unittest.main(verbosity=2, exit=False).result
        print(f"pictures: {pictures}")
        return 0 if result.wasSuccessful() else 1
    finally:
        for part in (PageTest.browser, PageTest.stand_in):
            if part is not None:
                part.close()
        if PageTest.node is not None:
            assert PageTest.node.stop() == 0, PageTest.node.said()
        folder.remove()


if __name__ == "__main__":
    sys.exit(main())
