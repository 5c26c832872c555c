#include "runtime/loop/mailbox.h"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <string>
#include <thread>

#include "runtime/base/published.h"
#include "runtime/loop/tasks.h"

namespace subito {
namespace {

using Text = std::unique_ptr<std::string>;

Text text(int number) {
  return std::make_unique<std::string>(std::to_string(number));
}

TEST(MailboxTest, WhatIsPutInIsTakenOutInOrderAndOnce) {
  Mailbox<Text> box(4);
  std::string taken;
  const auto take = [&](Text&& one) { taken += *one; };
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(box.put(text(i)));
    EXPECT_FALSE(box.take(take));
  }
  EXPECT_EQ(taken, "012012012");
  EXPECT_FALSE(box.take(take));
}

TEST(MailboxTest, AFullOneLeavesTheMessageWithItsSenderAndTellsWhenThereIsRoom) {
  Mailbox<Text> box(2);
  int taken = 0;
  const auto take = [&](Text&&) { ++taken; };
  EXPECT_TRUE(box.put(text(1)));
  EXPECT_TRUE(box.put(text(2)));
  Text more = text(3);
  EXPECT_FALSE(box.put(std::move(more)));
  ASSERT_NE(more, nullptr);
  EXPECT_TRUE(box.take(take));
  EXPECT_FALSE(box.take(take));
  EXPECT_TRUE(box.put(std::move(more)));
  EXPECT_FALSE(box.take(take));
  EXPECT_EQ(taken, 3);
}

TEST(DoorbellTest, WhatALookDefersRunsBeforeTheLoopSleepsAndARingWakesIt) {
  Loop loop;
  int looks = 0;
  bool ran = false;
  Doorbell* self = nullptr;
  Doorbell bell(loop, [&] {
    ++looks;
    if (looks == 1) loop.defer([&] { ran = true; });
    if (looks == 3) self->ring();  // it says that it sleeps
  });
  self = &bell;
  bell.ring();  // awake: nothing is to be done
  loop.turn(false);
  EXPECT_TRUE(ran);
  EXPECT_EQ(looks, 2);
  loop.turn(true);  // not for ever
  EXPECT_EQ(looks, 4);
}

// A loop on a thread of its own that sends back what it is sent, in order, whatever has no room.
struct Echoing {
  Echoing(Mailbox<Text>& out, Mailbox<Text>& in)
      : end(
            loop, out, in, [this](Text&& one) { waiting.push_back(std::move(one)); },
            [this] { flush(); }) {}
  void flush() {
    while (!waiting.empty() && end.send(std::move(waiting.front()))) waiting.pop_front();
  }
  Loop loop;
  Tasks tasks{loop};
  std::deque<Text> waiting;
  LinkEnd<Text, Text> end;
};

TEST(LinkEndTest, TwoLoopsTalkThroughSmallMailboxesAndNothingIsLost) {
  constexpr int kMessages = 50'000;
  Mailbox<Text> there(16);
  Mailbox<Text> back(16);
  Echoing other(back, there);
  Loop loop;
  int sent = 0;
  int heard = 0;
  int wrong = 0;
  std::unique_ptr<LinkEnd<Text, Text>> end;
  const auto send_some = [&] {
    while (sent < kMessages && end->send(text(sent))) ++sent;
  };
  end = std::make_unique<LinkEnd<Text, Text>>(
      loop, there, back,
      [&](Text&& one) {
        wrong += *one != std::to_string(heard) ? 1 : 0;
        if (++heard == kMessages) loop.stop();
      },
      send_some);
  end->connect(other.end);
  std::thread thread([&] { other.loop.run(); });
  loop.run();
  other.tasks.post([&] { other.loop.stop(); });
  thread.join();
  EXPECT_EQ(heard, kMessages);
  EXPECT_EQ(wrong, 0);
}

// One message at a time: each finds the other loop asleep, or about to be.
TEST(LinkEndTest, EachMessageToASleepingLoopWakesIt) {
  constexpr int kMessages = 5'000;
  Mailbox<Text> there(16);
  Mailbox<Text> back(16);
  Echoing other(back, there);
  Loop loop;
  int heard = 0;
  std::unique_ptr<LinkEnd<Text, Text>> end;
  end = std::make_unique<LinkEnd<Text, Text>>(
      loop, there, back,
      [&](Text&&) {
        if (++heard == kMessages) return loop.stop();
        EXPECT_TRUE(end->send(text(heard)));
      },
      [] {});
  end->connect(other.end);
  std::thread thread([&] { other.loop.run(); });
  EXPECT_TRUE(end->send(text(0)));
  loop.run();
  other.tasks.post([&] { other.loop.stop(); });
  thread.join();
  EXPECT_EQ(heard, kMessages);
}

TEST(PublishedTest, AReaderSeesTheNewestAndKeepsWhatItHolds) {
  Published<const int> number;
  Published<const int>::Reader reader(number);
  EXPECT_FALSE(reader.look());
  EXPECT_EQ(reader.value(), nullptr);
  number.publish(std::make_shared<const int>(1));
  number.publish(std::make_shared<const int>(2));
  EXPECT_TRUE(reader.look());
  EXPECT_EQ(*reader.value(), 2);
  EXPECT_FALSE(reader.look());
  const auto held = reader.value();
  std::thread([&] { number.publish(std::make_shared<const int>(3)); }).join();
  EXPECT_TRUE(reader.look());
  EXPECT_EQ(*held, 2);
  EXPECT_EQ(*reader.value(), 3);
}

}  // namespace
}  // namespace subito
