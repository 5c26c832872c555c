#include "deploy/cli/words.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ostream>

namespace subito::cli {

namespace {

// Characters a terminal shows: bytes but those that continue a UTF-8 sequence.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

// Bytes of the UTF-8 character that `text` begins with; 0 if that is none, or a longer form than
// need be.
std::size_t character_bytes(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::size_t size = at(0) < 0x80   ? 1
                           : at(0) < 0xc2 ? 0
                           : at(0) < 0xe0 ? 2
                           : at(0) < 0xf0 ? 3
                           : at(0) < 0xf5 ? 4
                                          : 0;
  if (size > text.size()) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((at(i) & 0xc0) != 0x80) return 0;
  }
  if ((at(0) == 0xe0 && at(1) < 0xa0) || (at(0) == 0xf0 && at(1) < 0x90)) return 0;
  return size;
}

// A control character: C0 but new line and tab, DEL, or C1 (U+0080 to U+009F).
bool is_control(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  if (first < ' ') return first != '\n' && first != '\t';
  return first == 0x7f || (first == 0xc2 && static_cast<unsigned char>(character[1]) < 0xa0);
}

// One digit behind the point below ten, none above: 1.1, 12.
std::string two_digits(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), value < 9.95 ? "%.1f" : "%.0f", value);
  return text.data();
}

}  // namespace

std::string age_words(std::int64_t nanoseconds) {
  const std::int64_t seconds = std::max<std::int64_t>(nanoseconds / 1'000'000'000, 0);
  if (seconds < 120) return std::to_string(seconds) + "s";
  if (seconds < 2 * 3600) return std::to_string(seconds / 60) + "m";
  if (seconds < 2 * 86400) return std::to_string(seconds / 3600) + "h";
  return std::to_string(seconds / 86400) + "d";
}

std::string size_words(std::uint64_t bytes) {
  static constexpr std::array kUnits = {"KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) return std::to_string(bytes) + " B";
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  while (value >= 1023.95 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return two_digits(value) + " " + kUnits[unit];
}

std::string time_words(double microseconds) {
  if (microseconds < 999.5) return std::to_string(static_cast<int>(microseconds + 0.5)) + " µs";
  if (microseconds < 999'500) return two_digits(microseconds / 1e3) + " ms";
  return two_digits(microseconds / 1e6) + " s";
}

std::string printable(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  while (!text.empty()) {
    const std::size_t size = character_bytes(text);
    const std::string_view character = text.substr(0, std::max<std::size_t>(size, 1));
    text.remove_prefix(character.size());
    if (size > 0 && !is_control(character)) {
      out += character;
      continue;
    }
    for (const char c : character) {
      const auto byte = static_cast<unsigned char>(c);
      out += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out;
}

std::string compiler_words(std::string_view text, bool colours) {
  constexpr std::string_view kBegin = "\x1b[";
  std::string out;
  for (std::size_t at; (at = text.find(kBegin)) != text.npos;) {
    const std::size_t end = text.find_first_not_of("0123456789;:", at + kBegin.size());
    const char kind = end == text.npos ? '\0' : text[end];
    const std::size_t taken = kind == 'm' || kind == 'K' ? end + 1 : at + kBegin.size();
    out += printable(text.substr(0, at));
    const std::string_view sequence = text.substr(at, taken - at);
    if (kind != 'm' && kind != 'K')
      out += printable(sequence);
    else if (kind == 'm' && colours)
      out += sequence;
    text.remove_prefix(taken);
  }
  return out + printable(text);
}

// Up to the next blank that is not inside backticks: a command is copied in one piece.
static std::size_t end_of_word(std::string_view text) {
  std::size_t end = text.find(' ');
  while (end < text.size() && std::count(text.begin(), text.begin() + end, '`') % 2 != 0)
    end = text.find(' ', end + 1);
  const bool is_open = end == text.npos && std::count(text.begin(), text.end(), '`') % 2 != 0;
  return std::min(is_open ? text.find(' ') : end, text.size());
}

std::string wrapped(std::string_view text, std::size_t columns, std::string_view indent) {
  std::string out, line(indent);
  while (!text.empty()) {
    const std::string_view word = text.substr(0, end_of_word(text));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    if (line.size() > indent.size() && width_of(line) + 1 + width_of(word) > columns) {
      out += line + '\n';
      line = indent;
    }
    if (line.size() > indent.size()) line += ' ';
    line += word;
  }
  return line.size() > indent.size() ? out + line + '\n' : out;
}

std::string coloured(std::string text, Colour colour, bool colours) {
  if (!colours || colour == Colour::kNone || text.empty()) return text;
  static constexpr std::array kCodes = {"0", "1", "32", "33", "31", "90"};
  return std::string("\x1b[") + kCodes[static_cast<std::size_t>(colour)] + "m" + text + "\x1b[0m";
}

Colour colour_of_state(std::string_view state) {
  if (state == "ready" || state == "idle" || state == "busy") return Colour::kGreen;
  if (state == "starting" || state == "draining") return Colour::kYellow;
  if (state == "failing") return Colour::kRed;
  if (state == "asleep" || state == "stopped") return Colour::kGrey;
  return Colour::kNone;
}

Table::Table(std::vector<std::string> header)
    : header_{std::move(header), Colour::kBold, std::string::npos} {
  for (const std::string& cell : header_.cells) widths_.push_back(width_of(cell));
}

void Table::add(std::vector<std::string> cells, Colour colour, std::size_t column) {
  for (std::size_t i = 0; i < cells.size() && i < widths_.size(); ++i)
    widths_[i] = std::max(widths_[i], width_of(cells[i]));
  rows_.push_back({std::move(cells), colour, column});
}

void Table::print(std::ostream& out, bool colours, std::string_view indent) const {
  out << indent;
  print_row(out, header_, colours);
  for (const Row& row : rows_) {
    out << indent;
    print_row(out, row, colours);
  }
}

void Table::widen(const Table& other) {
  for (std::size_t i = 0; i < widths_.size() && i < other.widths_.size(); ++i)
    widths_[i] = std::max(widths_[i], other.widths_[i]);
}

void Table::print_last(std::ostream& out, bool colours) const {
  if (!rows_.empty()) print_row(out, rows_.back(), colours);
}

void Table::print_row(std::ostream& out, const Row& row, bool colours) const {
  for (std::size_t i = 0; i < row.cells.size(); ++i) {
    const bool last = i + 1 == row.cells.size();
    const std::string& cell = row.cells[i];
    const bool has_colour = row.column == std::string::npos || row.column == i;
    out << coloured(cell, has_colour ? row.colour : Colour::kNone, colours);
    if (!last) out << std::string(widths_[i] - width_of(cell) + 2, ' ');
  }
  out << '\n';
}

}  // namespace subito::cli
