#include <fstream>
#include <set>
#include <string>

#include "base/error.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace apps {
namespace {

#ifdef HOKUSAI_SOURCE_DIR
TEST(ErrorDocument, lists_every_code_with_its_status_and_mlflow_code) {
    std::ifstream file(HOKUSAI_SOURCE_DIR "/docs/errors.md");
    if (!file) {
        GTEST_SKIP() << "SKIPPED: docs/errors.md is not there";
    }
    std::set<std::string> documented;  // the first three columns
    bool is_code_table = false;
    for (std::string line; std::getline(file, line);) {
        is_code_table = line.starts_with("## ") ? line == "## The codes" : is_code_table;
        if (is_code_table && line.starts_with("| `")) {
            documented.insert(line.substr(0, line.find("` |", line.find("| `", 3)) + 3));
        }
    }

    for (int number = 0; number <= static_cast<int>(base::Code::internal); ++number) {
        const auto code = static_cast<base::Code>(number);
        const std::string row = fmt::format(
            "| `{}` | {} | `{}` |", base::to_string(code), base::http_status(code), base::mlflow_error_code(code));
        EXPECT_EQ(documented.erase(row), 1U) << "missing: " << row;
    }
    for (const std::string& row : documented) {
        ADD_FAILURE() << "describes no code: " << row;
    }
}
#endif

}  // namespace
}  // namespace apps
