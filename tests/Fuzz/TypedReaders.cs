using System.Reflection;
using System.Text;
using Qmp.Protocol;
using Qmp.Protocol.Qapi;
using Qmp.Schema.Model;

namespace Fuzz;

/// <summary>Reads a value and prints it again.</summary>
/// <returns>The value as it is printed; null where the reader refuses it.</returns>
internal delegate string? TypedReader(QapiDocument document, bool isLenient);

/// <summary>The generated readers of a namespace, by the name of their class.</summary>
internal sealed class TypedReaders
{
    private static readonly MethodInfo Template = typeof(TypedReaders).GetMethod(nameof(Make), BindingFlags.NonPublic | BindingFlags.Static)!;

    private readonly Dictionary<string, TypedReader> _readers = [];

    public TypedReaders(Assembly assembly, string space)
    {
        foreach (var type in assembly.GetTypes().Where(type => type.Namespace == space && type.IsAssignableTo(typeof(IQapiWritable))))
        {
            if (type.GetMethod("Read", BindingFlags.Public | BindingFlags.Static) is { } read)
            {
                _readers[type.Name] = (TypedReader)Template.MakeGenericMethod(type).Invoke(null, [read])!;
            }
        }
    }

    public IReadOnlyCollection<string> Names => _readers.Keys;

    /// <summary>The reader of a class; null where there is none.</summary>
    public TypedReader? this[string name] => _readers.GetValueOrDefault(name);

    /// <summary>The class of a command's arguments; null where it has none.</summary>
    public static string? ArgumentsOf(SchemaCommand command) => command switch
    {
        { Generate: false } or { Arguments: null } => null,
        { Arguments.IsImplicit: true } => Pascal(command.Name) + "Arguments",
        _ => command.Arguments.Name,
    };

    public static string Pascal(string name) =>
        string.Concat(name.Split('-', '_').Where(word => word.Length > 0).Select(word => char.ToUpperInvariant(word[0]) + word[1..]));

    private static TypedReader Make<T>(MethodInfo read)
        where T : IQapiWritable
    {
        var typed = read.CreateDelegate<QapiItemReader<T>>();
        return (document, isLenient) =>
        {
            try
            {
                var reader = new QapiReader(document, isLenient);
                var value = typed(ref reader);
                var writer = new QapiWriter();
                value.Write(writer);
                return Encoding.UTF8.GetString(writer.WrittenSpan);
            }
            catch (QmpException e) when (e.Message.Length > 0)
            {
                return null;
            }
        };
    }
}
