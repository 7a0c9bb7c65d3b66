using System.Text.Json;

namespace Benchmarks.Report;

/// <summary>The table for programs: every figure of every round.</summary>
internal static class JsonFile
{
    public static void Write(string path, Machine machine, Options options, Table table, IReadOnlyList<Verdict> verdicts)
    {
        using FileStream file = File.Create(path);
        using var json = new Utf8JsonWriter(file, new JsonWriterOptions { Indented = true });
        json.WriteStartObject();
        json.WriteStartObject("machine");
        foreach ((string name, string value) in machine.Properties)
        {
            json.WriteString(name, value);
        }

        json.WriteEndObject();
        json.WriteNumber("rounds", options.Rounds);
        json.WriteNumber("seconds", options.Seconds);
        json.WriteBoolean("iothread", options.IoThread);
        json.WriteStartArray("goals");
        foreach (Verdict verdict in verdicts)
        {
            json.WriteStartObject();
            json.WriteString("goal", verdict.Goal);
            json.WriteString("title", verdict.Title);
            json.WriteString("verdict", verdict.Result);
            json.WriteString("decides", verdict.Decides?.Name);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("rows");
        foreach (Row row in table.Rows)
        {
            Write(json, row);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, Row row)
    {
        json.WriteStartObject();
        json.WriteString("goal", row.Goal);
        json.WriteString("name", row.Name);
        json.WriteString("unit", row.Unit);
        json.WriteString("other", row.Other);
        json.WriteString("target", row.Target?.ToString());
        json.WriteString("verdict", row.Verdict);
        if (row.Missing != null)
        {
            json.WriteString("missing", row.Missing);
        }

        Write(json, "ours", row.Ours);
        Write(json, "theirs", row.Theirs);
        Write(json, "ratio", row.Ratio);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, string name, Figures? figures)
    {
        if (figures == null)
        {
            return;
        }

        json.WriteStartObject(name);
        Write(json, "median", figures.Median);
        Write(json, "min", figures.Least);
        Write(json, "max", figures.Most);
        json.WriteStartArray("values");
        foreach (double value in figures.Values)
        {
            Write(json, null, value);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    // JSON has no infinity: an answer that never came is null.
    private static void Write(Utf8JsonWriter json, string? name, double value)
    {
        if (name != null)
        {
            json.WritePropertyName(name);
        }

        if (double.IsFinite(value))
        {
            json.WriteNumberValue(Math.Round(value, 4));
        }
        else
        {
            json.WriteNullValue();
        }
    }
}
