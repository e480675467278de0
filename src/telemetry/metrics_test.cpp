#include "telemetry/metrics.hpp"

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace telemetry {
namespace {

// A shard never shares its cache line with another worker's.
static_assert(alignof(Counter) == 64 && sizeof(Counter) == 64);

std::vector<std::string> lines_of(const std::string& text, std::string_view prefix) {
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = text.find('\n', at);
        const std::string line = text.substr(at, end - at);
        if (line.starts_with(prefix)) {
            lines.push_back(line);
        }
        at = end + 1;
    }
    return lines;
}

// The number after the sample called `series`.
std::string sample_of(const Metrics& metrics, const std::string& series) {
    const std::vector<std::string> lines = lines_of(metrics.render(), series + " ");
    EXPECT_EQ(lines.size(), 1U) << series << " in\n" << metrics.render();
    return lines.empty() ? "" : lines[0].substr(series.size() + 1);
}

TEST(Metrics, of_an_empty_registry_are_no_text) {
    EXPECT_EQ(Metrics().render(), "");
}

TEST(Metrics, render_help_and_type_once_above_the_samples_of_a_family) {
    Metrics metrics;
    metrics.counter("b_total", "What b counts.", {{"kind", "y"}}).add(2);
    metrics.counter("b_total", "What b counts.", {{"kind", "x"}}).add();
    metrics.gauge("a", "What a shows.", {}, [] { return 1.5; });

    EXPECT_EQ(metrics.render(),
              "# HELP a What a shows.\n"
              "# TYPE a gauge\n"
              "a 1.5\n"
              "# HELP b_total What b counts.\n"
              "# TYPE b_total counter\n"
              "b_total{kind=\"x\"} 1\n"
              "b_total{kind=\"y\"} 2\n");
}

TEST(Metrics, show_a_counter_before_its_first_event) {
    Metrics metrics;
    metrics.counter("calls_total", "Calls.");
    EXPECT_EQ(sample_of(metrics, "calls_total"), "0");
}

TEST(Metrics, add_up_the_shards_of_one_series) {
    Metrics metrics;
    Counter& first = metrics.counter("calls_total", "Calls.", {{"outcome", "success"}});
    Counter& second = metrics.counter("calls_total", "Calls.", {{"outcome", "success"}});
    Counter& other = metrics.counter("calls_total", "Calls.", {{"outcome", "failure"}});
    EXPECT_NE(&first, &second);
    first.add(40);
    second.add(2);
    other.add(5);

    EXPECT_EQ(first.value(), 40U);
    EXPECT_EQ(sample_of(metrics, "calls_total{outcome=\"success\"}"), "42");
    EXPECT_EQ(sample_of(metrics, "calls_total{outcome=\"failure\"}"), "5");
}

TEST(Metrics, add_counters_kept_elsewhere_to_the_same_series) {
    Metrics metrics;
    metrics.counter("refused_total", "Refused.").add(3);
    metrics.counter_from("refused_total", "Refused.", {}, [] { return 4.0; });

    EXPECT_EQ(sample_of(metrics, "refused_total"), "7");
    EXPECT_EQ(lines_of(metrics.render(), "# TYPE refused_total").front(), "# TYPE refused_total counter");
}

TEST(Metrics, read_a_gauge_anew_for_each_scrape) {
    Metrics metrics;
    double level = 1;
    metrics.gauge("level", "Level.", {{"tank", "a"}}, [&level] { return level; });
    EXPECT_EQ(sample_of(metrics, "level{tank=\"a\"}"), "1");
    level = -2.5;
    EXPECT_EQ(sample_of(metrics, "level{tank=\"a\"}"), "-2.5");
}

TEST(Metrics, write_large_counts_with_all_their_digits) {
    Metrics metrics;
    metrics.counter("bytes_total", "Bytes.").add(9'007'199'254'740'991U);
    EXPECT_EQ(std::stod(sample_of(metrics, "bytes_total")), 9'007'199'254'740'991.0);
}

TEST(MetricLabels, escape_backslash_quote_and_line_feed) {
    Metrics metrics;
    metrics.counter("c", "C.", {{"plain", "a b{}=,"}, {"nasty", "a\\b\"c\nd"}, {"empty", ""}}).add();

    EXPECT_EQ(lines_of(metrics.render(), "c{"),
              (std::vector<std::string>{R"(c{plain="a b{}=,",nasty="a\\b\"c\nd",empty=""} 1)"}));
}

TEST(MetricLabels, keep_values_apart_that_look_alike_when_unescaped) {
    Metrics metrics;
    metrics.counter("c", "C.", {{"a", "x\",b=\"y"}}).add(1);
    metrics.counter("c", "C.", {{"a", "x"}, {"b", "y"}}).add(2);
    EXPECT_EQ(lines_of(metrics.render(), "c{"),
              (std::vector<std::string>{R"(c{a="x",b="y"} 2)", R"(c{a="x\",b=\"y"} 1)"}));
}

TEST(MetricHistogram, has_ascending_bounds_with_those_of_the_dashboards) {
    const std::vector<double>& bounds = latency_buckets();
    EXPECT_TRUE(std::is_sorted(bounds.begin(), bounds.end(), std::less_equal<>()));
    for (const double bound : {.005, .01, .025, .05, .075, .1, .25, .5, .75, 1.0, 2.5, 5.0, 7.5, 10.0}) {
        EXPECT_NE(std::find(bounds.begin(), bounds.end(), bound), bounds.end()) << bound;
    }
}

TEST(MetricHistogram, counts_cumulatively_with_inclusive_upper_bounds) {
    Metrics metrics;
    Histogram& latency = metrics.histogram("seconds", "Latency.");
    latency.observe(0.0);
    latency.observe(0.005);      // at a bound
    latency.observe(0.0050001);  // just above it
    latency.observe(10.0);
    latency.observe(10.5);

    EXPECT_EQ(sample_of(metrics, "seconds_bucket{le=\"0.00025\"}"), "1");
    EXPECT_EQ(sample_of(metrics, "seconds_bucket{le=\"0.0025\"}"), "1");
    EXPECT_EQ(sample_of(metrics, "seconds_bucket{le=\"0.005\"}"), "2");
    EXPECT_EQ(sample_of(metrics, "seconds_bucket{le=\"0.01\"}"), "3");
    EXPECT_EQ(sample_of(metrics, "seconds_bucket{le=\"7.5\"}"), "3");
    EXPECT_EQ(sample_of(metrics, "seconds_bucket{le=\"10\"}"), "4");
    EXPECT_EQ(sample_of(metrics, "seconds_bucket{le=\"+Inf\"}"), "5");
    EXPECT_EQ(sample_of(metrics, "seconds_count"), "5");
    EXPECT_NEAR(std::stod(sample_of(metrics, "seconds_sum")), 20.5100001, 1e-8);
}

TEST(MetricHistogram, renders_every_bucket_once_in_order) {
    Metrics metrics;
    metrics.histogram("seconds", "Latency.", {{"route", "mlflow"}}).observe(1);

    const std::string text = metrics.render();
    EXPECT_EQ(lines_of(text, "# TYPE"), (std::vector<std::string>{"# TYPE seconds histogram"}));
    std::vector<std::string> expected;
    for (const double bound : latency_buckets()) {
        expected.push_back(fmt::format("seconds_bucket{{route=\"mlflow\",le=\"{}\"}} {}", bound, bound >= 1 ? 1 : 0));
    }
    expected.push_back("seconds_bucket{route=\"mlflow\",le=\"+Inf\"} 1");
    EXPECT_EQ(lines_of(text, "seconds_bucket"), expected);
    EXPECT_EQ(lines_of(text, "seconds_sum"), (std::vector<std::string>{"seconds_sum{route=\"mlflow\"} 1"}));
    EXPECT_EQ(lines_of(text, "seconds_count"), (std::vector<std::string>{"seconds_count{route=\"mlflow\"} 1"}));
}

TEST(MetricHistogram, merges_its_shards) {
    Metrics metrics;
    Histogram& first = metrics.histogram("seconds", "Latency.");
    Histogram& second = metrics.histogram("seconds", "Latency.");
    first.observe(0.2);
    second.observe(0.2);
    second.observe(3);

    EXPECT_EQ(sample_of(metrics, "seconds_bucket{le=\"0.1\"}"), "0");
    EXPECT_EQ(sample_of(metrics, "seconds_bucket{le=\"0.25\"}"), "2");
    EXPECT_EQ(sample_of(metrics, "seconds_bucket{le=\"5\"}"), "3");
    EXPECT_EQ(sample_of(metrics, "seconds_count"), "3");
    EXPECT_NEAR(std::stod(sample_of(metrics, "seconds_sum")), 3.4, 1e-8);
}

TEST(MetricHistogram, takes_a_negative_time_for_none) {
    Metrics metrics;
    metrics.histogram("seconds", "Latency.").observe(-1);
    EXPECT_EQ(sample_of(metrics, "seconds_bucket{le=\"0.00025\"}"), "1");
    EXPECT_EQ(sample_of(metrics, "seconds_sum"), "0");
}

TEST(Metrics, lose_nothing_when_threads_count_and_scrape) {
    constexpr std::uint64_t kEvents = 20'000;
    Metrics metrics;
    Counter& shared = metrics.counter("events_total", "Events.");
    Histogram& seconds = metrics.histogram("seconds", "Latency.");
    {
        const auto count = [&] {
            for (std::uint64_t i = 0; i < kEvents; ++i) {
                shared.add();
                seconds.observe(0.5);
            }
        };
        const std::jthread first(count);
        const std::jthread second(count);
        for (int scrapes = 0; scrapes < 20; ++scrapes) {
            EXPECT_EQ(lines_of(metrics.render(), "events_total ").size(), 1U);
        }
    }
    EXPECT_EQ(sample_of(metrics, "events_total"), fmt::format("{}", 2 * kEvents));
    EXPECT_EQ(sample_of(metrics, "seconds_count"), fmt::format("{}", 2 * kEvents));
    EXPECT_EQ(sample_of(metrics, "seconds_sum"), fmt::format("{}", kEvents));
}

TEST(MetricsDeathTest, refuse_one_name_with_two_types) {
    Metrics metrics;
    metrics.counter("a", "A.");
    EXPECT_DEATH(metrics.gauge("a", "A.", {}, [] { return 0.0; }), "one metric name has one type");
}

}  // namespace
}  // namespace telemetry
