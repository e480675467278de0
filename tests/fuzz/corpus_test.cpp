// Every input kept in corpus/ still passes its target: an everyday test, without a fuzzer.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "fuzz.hpp"

#include <gtest/gtest.h>

namespace {

class CorpusTest : public testing::TestWithParam<fuzz::Target> {};

TEST_P(CorpusTest, passes_whole) {
    const std::filesystem::path folder = std::filesystem::path(HOKUSAI_FUZZ_CORPUS) / GetParam().name;
    std::size_t inputs = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        SCOPED_TRACE(entry.path());
        std::ifstream file(entry.path(), std::ios::binary);
        const std::string bytes(std::istreambuf_iterator<char>(file), {});
        EXPECT_NO_THROW(GetParam().run(bytes));
        ++inputs;
    }
    EXPECT_GT(inputs, 0U) << folder;
}

INSTANTIATE_TEST_SUITE_P(all, CorpusTest, testing::ValuesIn(fuzz::targets()), [](const auto& each) {
    return std::string(each.param.name);
});

}  // namespace
