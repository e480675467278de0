#include "telemetry/trace_context.hpp"

#include <string>

#include "base/testing/fixed_random.hpp"

#include <gtest/gtest.h>

namespace telemetry {
namespace {

constexpr std::string_view kTrace = "12345678901234567890123456789012";
constexpr std::string_view kParent = "1234567890123456";

std::string written(const TraceContext& context) {
    const Traceparent text = to_traceparent(context);
    return {text.begin(), text.end()};
}

// Section 3.2.2 of the recommendation, with the cases of W3C's own suite (github.com/w3c/trace-context, test/test.py).
TEST(TraceParent, accepts_what_the_recommendation_does) {
    for (const std::string_view header : {
             "00-12345678901234567890123456789012-1234567890123456-01",
             "cc-12345678901234567890123456789012-1234567890123456-01",
             "cc-12345678901234567890123456789012-1234567890123456-01-what-the-future-will-be-like",
             "cc-12345678901234567890123456789012-1234567890123456-01-",
             "01-12345678901234567890123456789012-1234567890123456-01-x",
         }) {
        const std::optional<TraceContext> context = parse_traceparent(header);
        ASSERT_TRUE(context) << header;
        EXPECT_EQ(std::string_view(context->trace_id), kTrace);
        EXPECT_EQ(std::string_view(context->parent_id), kParent);
        EXPECT_TRUE(context->is_sampled);
    }
}

TEST(TraceParent, refuses_what_the_recommendation_does) {
    for (const std::string_view header : {
             // version
             "ff-12345678901234567890123456789012-1234567890123456-01",
             "ff-12345678901234567890123456789012-1234567890123456-01-what-the-future-will-be-like",
             ".0-12345678901234567890123456789012-1234567890123456-01",
             "0.-12345678901234567890123456789012-1234567890123456-01",
             "CC-12345678901234567890123456789012-1234567890123456-01",
             "000-12345678901234567890123456789012-1234567890123456-01",
             "0000-12345678901234567890123456789012-1234567890123456-01",
             "0-12345678901234567890123456789012-1234567890123456-01",
             // trace id
             "00-00000000000000000000000000000000-1234567890123456-01",
             "00-.2345678901234567890123456789012-1234567890123456-01",
             "00-1234567890123456789012345678901.-1234567890123456-01",
             "00-ABCDEF78901234567890123456789012-1234567890123456-01",
             "00-123456789012345678901234567890123-1234567890123456-01",
             "00-1234567890123456789012345678901-1234567890123456-01",
             // parent id
             "00-12345678901234567890123456789012-0000000000000000-01",
             "00-12345678901234567890123456789012-.234567890123456-01",
             "00-12345678901234567890123456789012-123456789012345.-01",
             "00-12345678901234567890123456789012-ABCDEF7890123456-01",
             "00-12345678901234567890123456789012-12345678901234567-01",
             "00-12345678901234567890123456789012-123456789012345-01",
             // flags
             "00-12345678901234567890123456789012-1234567890123456-.0",
             "00-12345678901234567890123456789012-1234567890123456-0.",
             "00-12345678901234567890123456789012-1234567890123456-0A",
             "00-12345678901234567890123456789012-1234567890123456-001",
             "00-12345678901234567890123456789012-1234567890123456-1",
             "00-12345678901234567890123456789012-1234567890123456-",
             "00-12345678901234567890123456789012-1234567890123456",
             // the end
             "00-12345678901234567890123456789012-1234567890123456-01-what-the-future-will-be-like",
             "00-12345678901234567890123456789012-1234567890123456-01-",
             "cc-12345678901234567890123456789012-1234567890123456-01.what-the-future-will-be-like",
             "cc-12345678901234567890123456789012-1234567890123456-011",
             // dashes
             "00_12345678901234567890123456789012-1234567890123456-01",
             "00-12345678901234567890123456789012_1234567890123456-01",
             "00-12345678901234567890123456789012-1234567890123456_01",
             "",
             "-",
             "foo",
         }) {
        EXPECT_FALSE(parse_traceparent(header)) << header;
    }
}

TEST(TraceParent, takes_sampling_from_the_lowest_flag_alone) {
    const std::string start = "00-12345678901234567890123456789012-1234567890123456-";
    for (const std::string_view flags : {"01", "03", "05", "0b", "0f", "81", "ff"}) {
        EXPECT_TRUE(parse_traceparent(start + std::string(flags))->is_sampled) << flags;
    }
    for (const std::string_view flags : {"00", "02", "04", "0e", "10", "fe"}) {
        EXPECT_FALSE(parse_traceparent(start + std::string(flags))->is_sampled) << flags;
    }
}

TEST(TraceParent, is_written_as_version_00_with_only_the_flag_we_know) {
    EXPECT_EQ(written({HexId<32>(kTrace), HexId<16>(kParent), true}),
              "00-12345678901234567890123456789012-1234567890123456-01");
    EXPECT_EQ(written({HexId<32>(kTrace), HexId<16>(kParent), false}),
              "00-12345678901234567890123456789012-1234567890123456-00");
    EXPECT_EQ(written(*parse_traceparent("cc-12345678901234567890123456789012-1234567890123456-ff-more")),
              "00-12345678901234567890123456789012-1234567890123456-01");
}

TEST(NextSpan, stays_in_the_trace_of_its_parent_under_an_id_of_its_own) {
    base::SeededRandom random(1);
    for (const bool is_sampled : {true, false}) {
        const TraceContext parent{HexId<32>(kTrace), HexId<16>(kParent), is_sampled};
        const TraceContext span = next_span(parent, random);

        EXPECT_EQ(std::string_view(span.trace_id), std::string_view(parent.trace_id));
        EXPECT_EQ(span.is_sampled, is_sampled);
        EXPECT_NE(std::string_view(span.parent_id), std::string_view(parent.parent_id));
        EXPECT_TRUE(parse_traceparent(written(span)));
    }
}

TEST(NextSpan, begins_a_trace_when_there_is_no_parent) {
    base::SeededRandom random(1);
    const TraceContext first = next_span(std::nullopt, random);
    const TraceContext second = next_span(std::nullopt, random);

    const std::string_view trace_id = first.trace_id;
    EXPECT_NE(trace_id, std::string_view(second.trace_id));
    EXPECT_NE(std::string_view(first.parent_id), std::string_view(second.parent_id));
    EXPECT_NE(trace_id.substr(0, 16), trace_id.substr(16));
    EXPECT_FALSE(first.is_sampled);
    EXPECT_TRUE(parse_traceparent(written(first)));
}

TEST(NextSpan, never_makes_an_id_of_zeros) {
    base::testing::FixedRandom random(0.0);
    EXPECT_TRUE(parse_traceparent(written(next_span(std::nullopt, random))));
}

}  // namespace
}  // namespace telemetry
