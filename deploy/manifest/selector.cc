#include "deploy/manifest/selector.h"

#include <algorithm>
#include <utility>

#include "deploy/manifest/letters.h"

namespace subito::manifest {

namespace {

bool is_label_letter(char c) {
  return is_lower(c) || is_upper(c) || is_digit(c);
}

bool is_label_text(std::string_view text) {
  return text.size() <= kLabelBytesMax && is_label_letter(text.front()) &&
         is_label_letter(text.back()) && std::all_of(text.begin(), text.end(), [](char c) {
           return is_label_letter(c) || c == '-' || c == '_' || c == '.';
         });
}

// "subito.dev": parts of lower-case letters, digits and '-', which neither begin nor end with '-'.
bool is_label_domain(std::string_view text) {
  if (text.size() > kLabelDomainBytesMax) return false;
  char before = '.';
  for (const char c : text) {
    const bool letter = is_lower(c) || is_digit(c);
    if (!letter && (before == '.' || (c != '-' && c != '.'))) return false;
    if (c == '.' && before == '-') return false;
    before = c;
  }
  return before != '.' && before != '-';
}

}  // namespace

std::optional<std::string> check_label_key(std::string_view key) {
  const std::size_t slash = key.find('/');
  const std::string_view name = slash == key.npos ? key : key.substr(slash + 1);
  const bool right = !name.empty() && is_label_text(name) &&
                     (slash == key.npos || is_label_domain(key.substr(0, slash)));
  if (right) return std::nullopt;
  return "has a label '" + std::string(key.substr(0, kLabelBytesMax)) +
         "' that is not allowed: letters, digits, '-', '_' and '.', at most 63, beginning and "
         "ending with a letter or digit; before it may stand a domain and '/'";
}

std::optional<std::string> check_label_value(std::string_view value) {
  if (value.empty() || is_label_text(value)) return std::nullopt;
  return "has a label with the value '" + std::string(value.substr(0, kLabelBytesMax)) +
         "', allowed are letters, digits, '-', '_' and '.', at most 63, beginning and ending with "
         "a "
         "letter or digit";
}

bool Selector::Requirement::holds(bool there, std::string_view value) const {
  const bool listed = there && std::find(values.begin(), values.end(), value) != values.end();
  switch (kind) {
    case Kind::kExists:
      return there;
    case Kind::kAbsent:
      return !there;
    case Kind::kIn:
      return listed;
    case Kind::kNotIn:
      return !listed;
  }
  return false;
}

// By recursive descent, over words and the signs = == != ! ( ) and the comma.
class Selector::Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Selector> parse() {
    if (text_.size() > kSelectorBytesMax)
      return wrong("is longer than " + std::to_string(kSelectorBytesMax) + " bytes");
    Selector selector;
    skip_blanks();
    while (at_ < text_.size()) {
      if (selector.requirements_.size() == kRequirementsMax)
        return wrong("has more than " + std::to_string(kRequirementsMax) + " requirements");
      ASSIGN_OR_RETURN(Requirement requirement, parse_requirement());
      selector.requirements_.push_back(std::move(requirement));
      if (at_ == text_.size()) break;
      if (!take(",")) return wrong("expected ',' " + here());
      if (at_ == text_.size()) return wrong("ends with ','");
    }
    return selector;
  }

 private:
  using Kind = Requirement::Kind;

  tl::unexpected<Error> wrong(const std::string& what) const {
    return fail(ErrorCode::kInvalidArgument,
                "selector '" + std::string(text_.substr(0, 200)) + "': " + what +
                    "; write app=shop,tier!=web, tier in (web,cache), canary or !canary");
  }
  std::string here() const {
    if (at_ == text_.size()) return "at the end";
    return "at '" + std::string(text_.substr(at_, 20)) + "'";
  }

  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
  }
  bool take(std::string_view sign) {
    if (text_.substr(at_, sign.size()) != sign) return false;
    at_ += sign.size();
    skip_blanks();
    return true;
  }
  std::string take_word() {
    const std::size_t end = std::min(text_.find_first_of(" \t,=!()", at_), text_.size());
    std::string word(text_.substr(at_, end - at_));
    at_ = end;
    skip_blanks();
    return word;
  }

  Result<std::string> parse_value() {
    std::string value = take_word();
    if (const auto fault = check_label_value(value)) return wrong(*fault);
    return value;
  }

  Status parse_values(std::vector<std::string>& values) {
    if (!take("(")) return wrong("expected '(' " + here());
    do {
      ASSIGN_OR_RETURN(std::string value, parse_value());
      values.push_back(std::move(value));
    } while (take(","));
    if (!take(")")) return wrong("expected ')' " + here());
    return ok();
  }

  Result<Requirement> parse_requirement() {
    Requirement requirement;
    const bool absent = take("!");
    requirement.key = take_word();
    if (requirement.key.empty()) return wrong("expected the key of a label " + here());
    if (const auto fault = check_label_key(requirement.key)) return wrong(*fault);
    if (absent) {
      requirement.kind = Kind::kAbsent;
      return requirement;
    }
    if (at_ == text_.size() || text_[at_] == ',') return requirement;
    if (take("!=")) {
      requirement.kind = Kind::kNotIn;
    } else if (take("==") || take("=")) {
      requirement.kind = Kind::kIn;
    } else {
      const std::string found = here();
      const std::string word = take_word();
      if (word != "in" && word != "notin") return wrong("expected =, !=, in or notin " + found);
      requirement.kind = word == "in" ? Kind::kIn : Kind::kNotIn;
      RETURN_IF_ERROR(parse_values(requirement.values));
      return requirement;
    }
    ASSIGN_OR_RETURN(std::string value, parse_value());
    requirement.values.push_back(std::move(value));
    return requirement;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

Result<Selector> Selector::parse(std::string_view text) {
  return Parser(text).parse();
}

}  // namespace subito::manifest
