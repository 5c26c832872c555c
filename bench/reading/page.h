// The page of one or several reports: a picture for each figure, words and a table below it. HTML
// that needs nothing from elsewhere. Pure, but for write_page().
#pragma once

#include <string>
#include <vector>

#include "bench/reading/report_file.h"

namespace subito::bench {

// Rows of the same figure and unit share a picture, of whichever report they are.
std::string to_page(const std::vector<ReportFile>& reports);

// Replaces the file as a whole.
Status write_page(const std::string& file, const std::string& page);

}  // namespace subito::bench
