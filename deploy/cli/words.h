// Numbers as people read them, tables, and colours. Pure.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace subito::cli {

// "4s", "12m", "3h", "2d": one unit, rounded down; "0s" for the future.
std::string age_words(std::int64_t nanoseconds);
// "512 B", "2.9 MiB", "128 MiB".
std::string size_words(std::uint64_t bytes);
// "980 µs", "1.1 ms", "12 ms", "1.2 s".
std::string time_words(double microseconds);

// What a terminal would take as a command (escape, carriage return, C1 controls, ...) and what is
// no UTF-8 as "\x1b". New lines and tabs stay. Whatever a function wrote is shown through this.
std::string printable(std::string_view text);

// What a compiler said: printable() but for its colours (SGR sequences, "\x1b[1m"), which stay if
// `colours` and go if not, and its "erase the rest of the line", which goes.
std::string compiler_words(std::string_view text, bool colours);

// Lines of at most `columns`, broken at blanks outside of backticks, each behind `indent`.
std::string wrapped(std::string_view text, std::size_t columns, std::string_view indent);

enum class Colour : std::uint8_t { kNone, kBold, kGreen, kYellow, kRed, kGrey };
// Wrapped in escapes if `colours`.
std::string coloured(std::string text, Colour colour, bool colours);
// Of a state of a function or pod.
Colour colour_of_state(std::string_view state);

// Columns wide enough for what is in them, two spaces apart.
class Table {
 public:
  explicit Table(std::vector<std::string> header);
  void add(std::vector<std::string> cells, Colour colour = Colour::kNone, std::size_t column = 0);
  bool empty() const { return rows_.empty(); }
  // The header in bold; cells with the colour they were given.
  void print(std::ostream& out, bool colours, std::string_view indent = "") const;
  // Columns at least as wide as those of another table.
  void widen(const Table& other);
  // The last row alone, in the columns of the whole.
  void print_last(std::ostream& out, bool colours) const;

 private:
  struct Row {
    std::vector<std::string> cells;
    Colour colour;
    std::size_t column;  // the one that has the colour
  };
  void print_row(std::ostream& out, const Row& row, bool colours) const;
  std::vector<std::size_t> widths_;
  Row header_;
  std::vector<Row> rows_;
};

}  // namespace subito::cli
