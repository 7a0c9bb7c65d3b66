namespace Qmp.Protocol.Qapi;

/// <summary>Something that writes itself as one JSON value: every generated type, and the results of commands.</summary>
public interface IQapiWritable
{
    /// <summary>Writes the value. Any thread, as long as nobody changes the value meanwhile.</summary>
    /// <param name="writer">Where it goes.</param>
    void Write(QapiWriter writer);
}
