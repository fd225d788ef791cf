// Draws the table of the last hours as two charts. Without this file the table is there by itself.
const table = document.getElementById("hours");
const column = (number) => [...table.tBodies[0].rows].map((row) => {
  const { value } = row.cells[number].dataset;
  return value === "" ? null : Number(value);
});
const tone = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const [at, good, bad, median, slow] = [0, 1, 2, 3, 4].map(column);
const total = good.map((count, hour) => count + bad[hour]);
const spent = (value) => value === null ? "–" : `${value < 10 ? value.toFixed(2) : value.toFixed(0)} s`;
const charts = [
  ["throughput", [at, total, good], () => [
    { label: "Not succeeded", fill: tone("bad"), paths: uPlot.paths.bars({ size: [0.7] }), points: { show: false }, value: (self, value, series, hour) => hour === null ? "" : bad[hour] },
    { label: "Succeeded", fill: tone("chart"), paths: uPlot.paths.bars({ size: [0.7] }), points: { show: false }, value: (self, value) => value ?? "" },
  ], (self, values) => values.map((value) => Number.isInteger(value) ? value : "")],
  ["durations", [at, median, slow], () => [
    { label: "Half took at most", stroke: tone("done"), width: 2, value: (self, value) => spent(value) },
    { label: "95 % took at most", stroke: tone("warn"), width: 2, dash: [6, 4], value: (self, value) => spent(value) },
  ], (self, values) => values.map((value) => `${value} s`)],
];
let drawn = [];
const draw = () => {
  drawn.forEach((chart) => chart.destroy());
  drawn = charts.map(([name, data, series, units]) => {
    const place = document.querySelector(`#${name} .plot`);
    const axis = { stroke: tone("wait"), grid: { stroke: tone("line"), width: 1 }, ticks: { show: false }, font: "12px system-ui" };
    return new uPlot({
      width: place.clientWidth,
      height: place.clientHeight - (place.clientWidth < 480 ? 88 : 36), // the legend needs the rest
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), table.dataset.zone),
      cursor: { y: false, drag: { x: false } },
      legend: { live: true },
      scales: { x: { range: (self, low, high) => [low - 1800, high + 1800] }, y: { range: (self, low, high) => [0, Math.max(high * 1.1 || 0, 1)] } },
      axes: [{ ...axis, grid: { show: false }, values: "{HH}:{mm}", space: 60 }, { ...axis, values: units, size: 56 }],
      series: [{ label: "Hour", value: "{HH}:{mm}" }, ...series()],
    }, data, place);
  });
};
draw();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
let width = innerWidth;
addEventListener("resize", () => {
  if (innerWidth !== width) draw();
  width = innerWidth;
});
