#include "bench/shop/books.h"

#include <nlohmann/json.hpp>

#include "bench/figures.h"

namespace subito::bench {

namespace {

Result<std::int64_t> figure_in(const nlohmann::json& json, const char* name) {
  const auto found = json.find(name);
  if (found != json.end() && found->is_number_integer()) return found->get<std::int64_t>();
  return fail(ErrorCode::kProtocol, std::string("read books: there is no figure \"") + name + "\"");
}

Result<Level> level_in(const nlohmann::json& json) {
  Level level;
  ASSIGN_OR_RETURN(level.received, figure_in(json, "received"));
  ASSIGN_OR_RETURN(level.available, figure_in(json, "amountAvailable"));
  ASSIGN_OR_RETURN(level.reserved, figure_in(json, "reserved"));
  ASSIGN_OR_RETURN(level.sold, figure_in(json, "sold"));
  return level;
}

using Lines = std::vector<std::string>;

// "product 3: sold: the face says 4, Redis holds 5"
void compare(Lines& lines, const std::string& whose, const char* what, std::int64_t said,
             std::int64_t held) {
  if (said == held) return;
  lines.push_back(whose + ": " + what + ": the face says " + std::to_string(said) +
                  ", Redis holds " + std::to_string(held));
}

const Level& level_of(const Books& books, const std::string& product) {
  static const Level kNone;
  const auto found = books.levels.find(product);
  return found == books.levels.end() ? kNone : found->second;
}

void check_level(Lines& lines, const Account& account, const std::string& product) {
  const std::string whose = "product " + product;
  const Level& before = level_of(account.before, product);
  const Level& after = level_of(account.after, product);
  const Level& stored = level_of(account.stored, product);
  const auto ordered = account.ordered.pieces.find(product);
  const std::int64_t pieces = ordered == account.ordered.pieces.end() ? 0 : ordered->second;
  if (after.received != after.available + after.reserved + after.sold) {
    lines.push_back(
        format("%s: received %lld is not available %lld + reserved %lld + sold %lld", whose.c_str(),
               static_cast<long long>(after.received), static_cast<long long>(after.available),
               static_cast<long long>(after.reserved), static_cast<long long>(after.sold)));
  }
  if (after.available < 0 || after.reserved < 0 || after.sold < 0) {
    lines.push_back(whose + ": a figure is negative");
  }
  if (after.sold != before.sold + pieces) {
    lines.push_back(format("%s: sold %lld, but %lld before and %lld in orders answered 201",
                           whose.c_str(), static_cast<long long>(after.sold),
                           static_cast<long long>(before.sold), static_cast<long long>(pieces)));
  }
  if (after.reserved != before.reserved) {
    lines.push_back(format("%s: reserved %lld, but %lld before", whose.c_str(),
                           static_cast<long long>(after.reserved),
                           static_cast<long long>(before.reserved)));
  }
  compare(lines, whose, "received", after.received, stored.received);
  compare(lines, whose, "available", after.available, stored.available);
  compare(lines, whose, "reserved", after.reserved, stored.reserved);
  compare(lines, whose, "sold", after.sold, stored.sold);
}

void check_guest(Lines& lines, const Account& account) {
  if (!account.before.guest) return;
  if (!account.after.guest || !account.stored.guest) {
    lines.push_back("guest: the credit is gone");
    return;
  }
  const Credit& before = *account.before.guest;
  const Credit& after = *account.after.guest;
  const Credit& stored = *account.stored.guest;
  if (after.limit != after.available + after.held + after.spent) {
    lines.push_back("guest: limit " + money_text(after.limit) + " is not available " +
                    money_text(after.available) + " + held " + money_text(after.held) +
                    " + spent " + money_text(after.spent));
  }
  if (after.spent - before.spent != account.ordered.total_minor) {
    lines.push_back("guest: spent " + money_text(after.spent - before.spent) +
                    ", but orders answered 201 come to " + money_text(account.ordered.total_minor));
  }
  if (after.held != before.held) {
    lines.push_back("guest: held " + money_text(after.held) + ", but " + money_text(before.held) +
                    " before");
  }
  compare(lines, "guest", "limit", after.limit, stored.limit);
  compare(lines, "guest", "available", after.available, stored.available);
  compare(lines, "guest", "held", after.held, stored.held);
  compare(lines, "guest", "spent", after.spent, stored.spent);
}

void check_orders(Lines& lines, const Account& account) {
  const OrderSums& ordered = account.ordered;
  const std::uint32_t completed = account.stored_after.completed - account.stored_before.completed;
  if (completed != ordered.placed) {
    lines.push_back(format("orders: %u were answered 201, Redis holds %u COMPLETED", ordered.placed,
                           completed));
  }
  const std::int64_t total = account.stored_after.total_minor - account.stored_before.total_minor;
  if (total != ordered.total_minor) {
    lines.push_back("orders: those answered 201 come to " + money_text(ordered.total_minor) +
                    ", in Redis the COMPLETED ones to " + money_text(total));
  }
  if (account.stored_after.open > account.stored_before.open) {
    lines.push_back(format("orders: %u are between states in Redis",
                           account.stored_after.open - account.stored_before.open));
  }
  if (ordered.open > 0) {
    lines.push_back(format("orders: %u keys have no final answer", ordered.open));
  }
}

}  // namespace

Result<std::map<std::string, Level>> read_levels(const std::string& body) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (!json.is_array()) return fail(ErrorCode::kProtocol, "read books: stock answered no list");
  std::map<std::string, Level> levels;
  for (const auto& one : json) {
    const auto product = one.find("productId");
    if (product == one.end() || !product->is_string()) {
      return fail(ErrorCode::kProtocol, "read books: there is no \"productId\"");
    }
    ASSIGN_OR_RETURN(levels[product->get<std::string>()], level_in(one));
  }
  return levels;
}

Result<Credit> read_credit(const std::string& body) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  Credit credit;
  ASSIGN_OR_RETURN(credit.limit, figure_in(json, "limitMinor"));
  ASSIGN_OR_RETURN(credit.available, figure_in(json, "availableMinor"));
  ASSIGN_OR_RETURN(credit.held, figure_in(json, "heldMinor"));
  ASSIGN_OR_RETURN(credit.spent, figure_in(json, "spentMinor"));
  return credit;
}

std::string money_text(std::int64_t minor) {
  const std::uint64_t size =
      minor < 0 ? 0 - static_cast<std::uint64_t>(minor) : static_cast<std::uint64_t>(minor);
  std::string whole = std::to_string(size / 100);
  for (auto place = static_cast<std::ptrdiff_t>(whole.size()) - 3; place > 0; place -= 3) {
    whole.insert(static_cast<std::size_t>(place), ",");
  }
  return (minor < 0 ? "-" : "") + whole + format(".%02u", static_cast<unsigned>(size % 100));
}

std::vector<std::string> differences(const Account& account) {
  Lines lines;
  for (const auto& [product, level] : account.before.levels) check_level(lines, account, product);
  if (account.after.levels.size() != account.before.levels.size()) {
    lines.push_back(format("stock: %zu products, but %zu before", account.after.levels.size(),
                           account.before.levels.size()));
  }
  check_guest(lines, account);
  check_orders(lines, account);
  return lines;
}

bool settled(const Account& account) {
  for (const auto& [product, level] : account.after.levels) {
    if (level.reserved != level_of(account.before, product).reserved) return false;
  }
  if (account.before.guest && account.after.guest &&
      account.before.guest->held != account.after.guest->held) {
    return false;
  }
  return account.stored_after.open <= account.stored_before.open && account.ordered.open == 0;
}

}  // namespace subito::bench
