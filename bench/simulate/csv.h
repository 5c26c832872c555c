// Csv: the rows of a file of values with commas between, none of them quoted, as public traces have
// them; line by line, so that a file may be larger than memory. One thread.
#pragma once

#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"

namespace subito::simulate {

class Csv {
 public:
  // Reads the header, whose fields must be `header`.
  static Result<Csv> open(const std::string& file, const std::vector<std::string>& header);

  // The fields of the next row, until the next call; false at the end. kProtocol when the row has
  // not as many fields as the header, or a line is longer than kLineMax.
  Result<bool> next();
  std::string_view field(std::size_t index) const { return fields_[index]; }
  // The same as a number, from 0 on.
  Result<std::uint64_t> count(std::size_t index) const;
  Result<double> number(std::size_t index) const;
  // A name, not empty.
  Result<std::string_view> name(std::size_t index) const;
  // kProtocol: "FILE:LINE: field 5 (1) is 'x', ..."
  Error wrong(std::size_t index, const std::string& allowed) const;

  static constexpr std::size_t kLineMax = 1 << 20;

 private:
  Csv(std::string file, std::ifstream stream)
      : file_(std::move(file)), stream_(std::move(stream)) {}
  bool read_line();
  Error at_line(const std::string& reason) const;

  std::string file_;
  std::ifstream stream_;
  std::vector<std::string> header_;
  std::string line_;
  std::vector<std::string_view> fields_;
  std::size_t number_ = 0;  // of the line
};

}  // namespace subito::simulate
