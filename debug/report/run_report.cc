#include "debug/report/run_report.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <string_view>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "debug/page.h"
#include "debug/parallel_query.h"
#include "debug/profile.h"
#include "debug/report/report_data.h"
#include "debug/report/report_page.h"
#include "debug/report/series.h"
#include "debug/report/survey.h"
#include "hostio/printable.h"
#include "replaylog/describe.h"

namespace isochron::debug {
namespace {

// What is known of the run without its events' order.
struct Totals {
  uint64_t events = 0;
  uint64_t instructions = 0;
  std::string end = "the log breaks off";

  void Add(const replaylog::Event& event) {
    ++events;
    if (const auto* checkpoint = std::get_if<replaylog::CheckpointEvent>(&event.body)) {
      instructions = checkpoint->instructions;
    } else if (const auto* stop = std::get_if<replaylog::EndEvent>(&event.body)) {
      instructions = stop->instructions;
      end = replaylog::EndKindName(stop->kind);
    }
  }
};

std::string Head(const replaylog::LogHeader& header, const ReportSubject& subject,
                 const Totals& totals) {
  std::string images = "[";
  for (const replaylog::ImageRecord& image : header.images) {
    absl::StrAppend(&images, images.size() > 1 ? "," : "", "[\"",
                    std::string(replaylog::ImageRoleName(image.role)), "\",", image.size, ",\"",
                    image.digest.ToString(), "\"]");
  }
  return absl::StrCat(
      "\"version\":1,\"log\":", PageString(hostio::Printable(subject.log)), ",\"identity\":\"",
      subject.identity, "\",\"clock_hz\":", header.config.clock_hz,
      ",\"memory\":", header.config.memory_bytes,
      ",\"command_line\":", PageString(hostio::Printable(header.config.command_line)),
      ",\"images\":", images, "],\"cycles\":", subject.last_cycle,
      ",\"instructions\":", totals.instructions, ",\"events\":", totals.events,
      ",\"end\":", PageString(totals.end));
}

}  // namespace

absl::StatusOr<std::string> MakeReport(const std::vector<timeline::Timeline*>& timelines,
                                       const Symbols& symbols, const ReportSubject& subject,
                                       const timeline::Timeline** failed) {
  timeline::Timeline& first = *timelines.front();
  *failed = &first;
  const Spans spans = Spans::Over(subject.last_cycle, ReportData::kMostSpans);
  ReportData data(spans, subject.last_cycle, first.machine().cpu_count());
  Totals totals;
  absl::Status status = first.ReadEvents([&](const replaylog::Event& event) {
    totals.Add(event);
    data.OnEvent(event);
    return true;
  });
  if (!status.ok()) return status;

  Survey teller(symbols, spans, &data);
  data.LearnColumns(teller);
  std::vector<Searcher> searchers;
  for (timeline::Timeline* timeline : timelines) {
    searchers.push_back({timeline, std::make_unique<Survey>(symbols, spans, nullptr)});
  }
  Answers none([](const Row&) { return true; });
  const Searcher* searcher = &searchers.front();
  status = SearchInParts(
      searchers, CutRange({0, std::numeric_limits<uint64_t>::max()}, subject.cuts),
      [&](const Sighting& sighting) {
        teller.Tell(sighting, none);
        return true;
      },
      &searcher);
  *failed = searcher->timeline;
  if (!status.ok()) return status;
  teller.TellRest();
  std::string flame_page;
  if (subject.profile) {
    *failed = &first;
    const auto profile =
        Profile::Of(first, symbols, 0, std::numeric_limits<uint64_t>::max(), std::nullopt,
                    spans.width, [&](int cpu, uint64_t cycle, const ModeCycles& cycles) {
                      data.OnProfile(cpu, cycle, cycles);
                    });
    if (!profile.ok()) return profile.status();
    profile->WriteFlamePage("Where its time went", [&](std::string_view line) {
      absl::StrAppend(&flame_page, std::string(line), "\n");
    });
  }
  const std::string json =
      absl::StrCat("{", Head(first.header(), subject, totals), ",", data.Fields(), "}");
  return ReportPage(absl::StrCat("Isochron: ", subject.log), json, flame_page);
}

}  // namespace isochron::debug
