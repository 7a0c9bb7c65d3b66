namespace Qmp.Tool.Manual;

/// <summary>The schema that this program was built with; the project file puts it in.</summary>
internal static class EmbeddedSchema
{
    public const string Path = "schema/qapi-schema.json";

    /// <summary>The text of one of its files, or null when it is not there.</summary>
    public static string? Read(string path)
    {
        if (typeof(EmbeddedSchema).Assembly.GetManifestResourceStream(path) is not { } stream)
        {
            return null;
        }

        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
